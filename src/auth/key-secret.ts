import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const idAlphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
const idLength = 12
const secretBytes = 32
const keyPattern = new RegExp(`^lllm_([${idAlphabet}]{${idLength}})_[A-Za-z0-9_-]{43}$`)

/** A key that was just made. This is the only time that anybody sees its text. */
export interface NewKey {
  readonly id: string
  /** `lllm_`, the id, `_`, and 256 bits of chance. */
  readonly text: string
  readonly hash: string
}

export function makeKey(): NewKey {
  const id = [...randomBytes(idLength)].map((byte) => idAlphabet[byte % idAlphabet.length]).join('')
  const text = `lllm_${id}_${randomBytes(secretBytes).toString('base64url')}`
  return { id, text, hash: hashOf(text) }
}

/** The id within a key; undefined: it is none of ours. */
export function idOf(text: string): string | undefined {
  return keyPattern.exec(text)?.[1]
}

/** Whether a key is the one that a hash was made of. It takes as long whatever the answer is. */
export function isKeyOf(text: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(text), 'hex'), Buffer.from(hash, 'hex'))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
