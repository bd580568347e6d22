import { redactValue } from './redact-value.ts'

/** What is kept of the bytes of an image: whoever has the image can tell that it is this one. */
export interface ImageDigest {
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
}

export type DigestImage = (base64: string) => ImageDigest

const dataUrls = /data:(image\/[a-z0-9.+-]{1,64});base64,([A-Za-z0-9+/]{32,}={0,2})/g

/** Replaces images that are written out within a value, as parts of messages or as `data:` URLs, by what tells them apart. */
export function withImagesByReference<Value>(value: Value, digest: DigestImage): Value {
  const text = (given: string) =>
    given.includes('data:image/')
      ? given.replaceAll(dataUrls, (_url, mediaType: string, base64: string) => {
          const { bytes, sha256 } = digest(base64)
          return `data:${mediaType};bytes=${bytes};sha256=${sha256},`
        })
      : given
  return redactValue(value, {
    text,
    byName: false,
    object(given) {
      const { base64, ...rest } = given
      const mediaType = rest['mediaType'] ?? rest['media_type']
      if (typeof base64 !== 'string' || typeof mediaType !== 'string' || base64 === '') return given
      return { ...rest, ...digest(base64) }
    },
  }) as Value
}
