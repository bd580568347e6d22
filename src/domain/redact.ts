import { valueRedactor } from './redact-value.ts'
import { createSecretForms } from './secret-forms.ts'
import { mayHaveSecretField, redactShapes } from './secret-shapes.ts'

/** Shorter values are not looked for: they would be found where nobody meant them. */
export const secretLengthMin = 8
/** Values that are looked for. */
const secretsMax = 1_000
/** Of a text that goes on no more is held back. It is there for secrets that repeat themselves. */
const heldLengthMax = 65_536

/** Takes secrets out of texts. `known`: those whose values are known. `all`: what has the shape of a key, token or password as well. */
export interface Redactor {
  /** Whether it knows any secret by its value. */
  readonly knowsAny: boolean
  known(text: string): string
  /** Whether `knownIn` may find something in what a JSON text holds. It is told from the text alone. */
  mayKnowIn(json: string): boolean
  /**
   * How much of a text that goes on can be told as what `known` makes of it: up to where a known secret may begin whose end is still to
   * come. What is left is told with what comes.
   */
  toldLength(text: string): number
  all(text: string): string
  /** The same for each text of a value, at any depth. What stays the same is the same object. */
  knownIn<Value>(value: Value): Value
  /** And for texts in fields whose name says it: `password`, `authorization`. */
  allIn<Value>(value: Value): Value
  /** Whether `allIn` would find nothing in what a JSON text holds. It is told from the text alone, and no where that says too little. */
  isClean(json: string): boolean
}

/**
 * Makes a redactor that knows some secrets: as they are, with the escapes of JSON, percent-encoded, and in base64. It takes time in
 * proportion to the text for each of them.
 *
 * @param secrets Those shorter than {@link secretLengthMin} are left out, as are those beyond the first 1,000.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const wanted = [...new Set(secrets)].filter((secret) => secret.length >= secretLengthMin).slice(0, secretsMax)
  const forms = createSecretForms(wanted)

  const known = forms.redact

  function toldLength(text: string): number {
    if (forms.isEmpty) return text.length
    const length = forms.lengthBeforeOpen(text)
    if (length === text.length || text.length > heldLengthMax) return text.length
    // A secret that is there already may go on where another one may begin.
    return known(text) === known(text.slice(0, length)) + known(text.slice(length)) ? length : 0
  }

  const all = (text: string) => redactShapes(known(text))
  return {
    knowsAny: !forms.isEmpty,
    known,
    mayKnowIn: forms.mayBeIn,
    toldLength,
    all,
    knownIn: (value) => (forms.isEmpty ? value : valueRedactor({ text: known, byName: false })(value)),
    allIn: (value) => (value === null ? value : valueRedactor({ text: all, byName: true })(value)),
    // Without escapes, each text stands in JSON as it is.
    isClean: (json) => !json.includes('\\') && !mayHaveSecretField(json) && all(json) === json,
  }
}
