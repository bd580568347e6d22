import { valueRedactor } from './redact-value.ts'
import { mayHaveSecretField, redactedText, redactShapes } from './secret-shapes.ts'

/** Shorter values are not looked for: they would be found where nobody meant them. */
export const secretLengthMin = 8
/** Values that are looked for. */
const secretsMax = 1_000

/** Takes secrets out of texts. `known`: those whose values are known. `all`: what has the shape of a key, token or password as well. */
export interface Redactor {
  /** Whether it knows any secret by its value. */
  readonly knowsAny: boolean
  known(text: string): string
  all(text: string): string
  /** The same for each text of a value, at any depth. What stays the same is the same object. */
  knownIn<Value>(value: Value): Value
  /** And for texts in fields whose name says it: `password`, `authorization`. */
  allIn<Value>(value: Value): Value
  /** Whether `allIn` would find nothing in what a JSON text holds. It is told from the text alone, and no where that says too little. */
  isClean(json: string): boolean
}

/**
 * Makes a redactor that knows some secrets: as they are, as they stand in JSON, and percent-encoded. It takes time in proportion to
 * the text for each of them.
 *
 * @param secrets Those shorter than {@link secretLengthMin} are left out, as are those beyond the first 1,000.
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const wanted = [...new Set(secrets)].filter((secret) => secret.length >= secretLengthMin).slice(0, secretsMax)
  // The longest first: one may be a part of another.
  const forms = [...new Set(wanted.flatMap(formsOf))].toSorted((left, right) => right.length - left.length)

  function known(text: string): string {
    if (text.length < secretLengthMin) return text
    let left = text
    for (const form of forms) if (left.includes(form)) left = left.replaceAll(form, redactedText)
    return left
  }

  const all = (text: string) => redactShapes(known(text))
  return {
    knowsAny: forms.length > 0,
    known,
    all,
    knownIn: (value) => (forms.length === 0 ? value : valueRedactor({ text: known, byName: false })(value)),
    allIn: (value) => (value === null ? value : valueRedactor({ text: all, byName: true })(value)),
    // Without escapes, each text stands in JSON as it is.
    isClean: (json) => !json.includes('\\') && !mayHaveSecretField(json) && all(json) === json,
  }
}

function formsOf(secret: string): readonly string[] {
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())]
}
