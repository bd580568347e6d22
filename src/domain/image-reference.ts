/** What is kept of the bytes of an image: whoever has the image can tell that it is this one. */
export interface ImageDigest {
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
}

export type DigestImage = (base64: string) => ImageDigest

const dataUrls = /data:(image\/[a-z0-9.+-]{1,64});base64,([A-Za-z0-9+/]{32,}={0,2})/g

/** Replaces images that are written out as `data:` URLs by what tells them apart. */
export function withoutDataUrls(text: string, digest: DigestImage): string {
  // It begins with the character that is the rarer one.
  if (!text.includes(';base64,')) return text
  return text.replaceAll(dataUrls, (_url, mediaType: string, base64: string) => {
    const { bytes, sha256 } = digest(base64)
    return `data:${mediaType};bytes=${bytes};sha256=${sha256},`
  })
}

/** The same for an object that is an image in base64 with its media type: a part of a message, or somebody's own. */
export function withoutBase64(
  given: Readonly<Record<string, unknown>>,
  digest: DigestImage,
): Readonly<Record<string, unknown>> {
  if (typeof given['base64'] !== 'string' || given['base64'] === '') return given
  const { base64, ...rest } = given
  const mediaType = rest['mediaType'] ?? rest['media_type']
  return typeof mediaType === 'string' ? { ...rest, ...digest(given['base64']) } : given
}

/** Whether a JSON text may hold an image of either kind. */
export function mayHaveImage(json: string): boolean {
  return json.includes('base64')
}
