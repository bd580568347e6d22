import { base64FormsOf, hasRun, runIn } from './base64-forms.ts'
import { lengthBeforeOpenEscape, locateCharacters, withoutEscapes } from './escaped-text.ts'
import { redactedText } from './secret-shapes.ts'

/** Finds known values, however they are written. */
export interface SecretForms {
  readonly isEmpty: boolean
  redact(text: string): string
  /** Whether a JSON text may hold one of them, in a text that `redact` would take it out of. It is told from the text alone, and is yes where that says too little. */
  mayBeIn(json: string): boolean
  /** Up to where a text that goes on has no beginning of a secret whose end may be still to come. */
  lengthBeforeOpen(text: string): number
}

/** A shorter end of a value would be found where the value is not. */
const probeLengthMin = 6
/** JSON within JSON within JSON is looked for as it is. */
const jsonDepthMax = 3
/** What is found only once it is read: deeper JSON, escapes that no writer of JSON has to use, and percent-encoding. */
const mayBeEscaped = /\\(?:[u/]|\\{7})|%[0-9A-Fa-f]{2}/

/**
 * Values are found as they are; in base64 of both alphabets, also as a part of something longer; with the escapes of JSON, once or
 * several times over; percent-encoded; and as forms encode them. It takes time in proportion to the text for each value.
 */
export function createSecretForms(secrets: readonly string[]): SecretForms {
  const literal = longestFirst(secrets.flatMap(literalFormsOf))
  const base64 = longestFirst(secrets.flatMap(base64FormsOf))
  const literalForms = literal.map(toForm)
  const base64Forms = base64.map(toForm)
  const base64Run = runIn(base64)
  // No way to write a value is shorter than it.
  const lengthMin = Math.min(...secrets.map(({ length }) => length))
  const all = [...literal, ...base64]
  // What comes after a backslash at the end decides what it means.
  const plain = longestFirst(all.map((form) => withoutEscapes(form).replace(/\\$/, '')))

  function redact(text: string): string {
    if (text.length < lengthMin) return text
    const left = replaceAll(mayBeEscaped.test(text) ? redactEscaped(text, plain) : text, literalForms)
    return hasRun(left, base64Run) ? replaceAll(left, base64Forms) : left
  }

  // In JSON each text is escaped once more. Half a surrogate pair is so by itself only.
  const inJson = longestFirst(literal.map(escaped)).map(toForm)
  const areWellFormed = secrets.every((secret) => secret.isWellFormed())

  function mayBeIn(json: string): boolean {
    if (secrets.length === 0) return false
    if (!areWellFormed || mayBeEscaped.test(json) || isAnyIn(json, inJson)) return true
    return hasRun(json, base64Run) && isAnyIn(json, base64Forms)
  }

  function lengthBeforeOpen(text: string): number {
    if (secrets.length === 0) return text.length
    const end = text.length - openLength(text, all)
    if (!text.includes('%') && !text.includes('\\')) return end
    const { plain: read, starts } = locateCharacters(text.slice(0, lengthBeforeOpenEscape(text)))
    return Math.min(end, starts[read.length - openLength(read, plain)] ?? end)
  }

  return { isEmpty: secrets.length === 0, redact, mayBeIn, lengthBeforeOpen }
}

function literalFormsOf(secret: string): readonly string[] {
  const forms = [secret]
  for (let depth = 1; depth <= jsonDepthMax; depth++) forms.push(escaped(forms.at(-1) ?? ''))
  // A secret with a backslash in it, or beside a percent sign, reads as something else where it is percent-encoded.
  return [...forms, secret.replaceAll(' ', '+'), encodeURIComponent(secret.toWellFormed())]
}

/** As it stands within JSON. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** One may be a part of another. */
function longestFirst(forms: readonly string[]): readonly string[] {
  return [...new Set(forms)].toSorted((left, right) => right.length - left.length)
}

function replaceAll(text: string, forms: readonly Form[]): string {
  let left = text
  for (const { form, probe } of forms) if (left.includes(probe)) left = left.replaceAll(form, redactedText)
  return left
}

function isAnyIn(text: string, forms: readonly Form[]): boolean {
  return forms.some(({ form, probe }) => text.includes(probe) && text.includes(form))
}

/** How a value may be written, and an end of that by which it is looked for. */
interface Form {
  readonly form: string
  readonly probe: string
}

/** A text is searched the faster the more seldom it has the character that is looked for first. */
function toForm(form: string): Form {
  const startMax = form.length - probeLengthMin
  const start = form.search(/[^a-z ]/)
  return { form, probe: start > 0 && start <= startMax ? form.slice(start) : form }
}

/** Replaces what is one of the forms once its escapes are read. */
function redactEscaped(text: string, forms: readonly string[]): string {
  let left = text
  let read = withoutEscapes(text)
  for (const form of forms) {
    if (!read.includes(form)) continue
    left = cutEscaped(left, form)
    read = withoutEscapes(left)
  }
  return left
}

function cutEscaped(text: string, form: string): string {
  const { plain, starts } = locateCharacters(text)
  let left = ''
  let end = 0
  for (let at = plain.indexOf(form); at !== -1; at = plain.indexOf(form, at + form.length)) {
    left += text.slice(end, starts[at]) + redactedText
    end = starts[at + form.length] ?? text.length
  }
  return left + text.slice(end)
}

/** How many characters at the end of a text are the beginning of one of the forms. */
function openLength(text: string, forms: readonly string[]): number {
  let longest = 0
  for (const form of forms) {
    const first = form.charAt(0)
    // Earlier ones would be whole, and later ones are shorter than what was found.
    let at = text.indexOf(first, Math.max(0, text.length - form.length + 1))
    while (at !== -1 && at < text.length - longest) {
      if (form.startsWith(text.slice(at))) longest = text.length - at
      at = text.indexOf(first, at + 1)
    }
  }
  return longest
}
