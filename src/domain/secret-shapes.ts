/** What stands in the place of a secret. */
export const redactedText = '[redacted]'

/**
 * Keys and tokens that are known by how they look: of this service, model providers, webhooks, AWS, GitHub, Google, Slack and Stripe, and JWTs.
 *
 * Each expression here takes time in proportion to the text, whatever is in it: a match can begin only where a run of its characters
 * begins, what is repeated without a bound is repeated once, and nothing has to follow it that could be missed again and again.
 */
const tokens =
  /(?<![A-Za-z0-9_-])(?:sk-[A-Za-z0-9_-]{16,}|lllm_[a-z0-9]{12}_[A-Za-z0-9_-]{43}|whsec_[A-Za-z0-9+/]{16,}={0,2}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|gh[opsru]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|AIza[A-Za-z0-9_-]{35}|xox[abprs]-[A-Za-z0-9-]{10,}|[rs]k_(?:live|test)_[A-Za-z0-9]{16,})/g

/** A private key in PEM, as it is or within JSON. */
const privateKeys =
  /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[A-Za-z0-9+/=\s\\]{0,16384}(?:-----END [A-Z ]{0,32}PRIVATE KEY-----)?/g

const names =
  'authorization|x-api-key|api[-_]?key|access[-_]?token|refresh[-_]?token|id[-_]token|client[-_]?secret|secret[-_]access[-_]key|passwd|password'
/** A header, a field or a parameter whose name says that its value is secret. The name stays. */
const named = new RegExp(
  `(\\b(?:${names})["'\\\\]{0,4}[ \\t]{0,4}[:=][ \\t]{0,4}["'\\\\]{0,4}(?:(?:basic|bearer|digest|token)[ \\t]{1,4})?(?!(?:basic|bearer|digest|token)[ \\t])|[?&](?:key|token|sig|signature)=)[^\\s"'\\\\&,;]{6,}`,
  'gi',
)
const bearers = /\b(Bearer[ \t]{1,4})[A-Za-z0-9._~+/-]{12,}={0,2}/gi
/** The password in the address of a database or a proxy. */
const passwords = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@"']{0,128}:)[^\s/@"']{1,256}(?=@)/gi

/** The shortest text that has one of these shapes: an address with a password of one character. */
const shapeLengthMin = 8

/** Replaces what has the shape of a secret. What needs characters that a text does not have is not looked for in it. */
export function redactShapes(text: string): string {
  if (text.length < shapeLengthMin) return text
  let left = text
  if (left.includes('-----BEGIN ')) left = left.replace(privateKeys, redactedText)
  if (left.includes('://')) left = left.replace(passwords, `$1${redactedText}`)
  if (left.includes(':') || left.includes('=')) left = left.replace(named, `$1${redactedText}`)
  return left.replace(bearers, `$1${redactedText}`).replace(tokens, redactedText)
}

const fieldNames = `(?:${names}|proxy-authorization|cookie|set-cookie|private[-_]?key|secret)`
const secretName = new RegExp(`^${fieldNames}$`, 'i')
const secretField = new RegExp(`"${fieldNames}"\\s*:`, 'i')

/** Whether a field, by its whole name, holds a secret, whatever that looks like. */
export function namesSecret(name: string): boolean {
  return secretName.test(name)
}

/** Whether a JSON text may have such a field. Names that are written with escapes are not looked for. */
export function mayHaveSecretField(json: string): boolean {
  return secretField.test(json)
}
