import { LllmError } from '../domain/errors.ts'
import type { ImagePart } from '../domain/message.ts'

/**
 * Judges an image that an author hands to an agent. It is a URL or base64, and never a path that is opened.
 *
 * @param judgeUrl Says why a provider may not be sent to an address; undefined: it may.
 */
export function toImagePart(
  { url, base64, mediaType }: Omit<ImagePart, 'type'>,
  judgeUrl: (url: URL) => string | undefined = () => undefined,
): ImagePart {
  if (url !== undefined && base64 === undefined) {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
      throw misuse('The url of an image begins with https:// or http://.')
    }
    const refusal = judgeUrl(new URL(url))
    if (refusal === undefined) return { type: 'image', url }
    throw misuse(`The url of an image ${refusal}, unless LLLM_OUTBOUND_ALLOW names its host.`)
  }
  if (base64 === undefined || url !== undefined) throw misuse('An image has either a url or base64.')
  if (mediaType === undefined || !/^image\/[a-z0-9.+-]+$/.test(mediaType)) {
    throw misuse('An image in base64 needs its mediaType, for example image/png.')
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw misuse('The base64 of an image holds other characters.')
  return { type: 'image', base64, mediaType }
}

function misuse(message: string) {
  return new LllmError('dialog-misuse', message)
}
