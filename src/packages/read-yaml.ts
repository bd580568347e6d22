import { isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { type ErrorCode, isLllmError, LllmError } from '../domain/errors.ts'
import { forbiddenKeys } from '../domain/json.ts'

export interface YamlOrigin {
  readonly file: string
  readonly code: ErrorCode
  /** Lines of the file before the text, for texts that are a part of their file. */
  readonly linesBefore?: number
}

/** How often aliases may multiply a value: enough for shared settings, too few for a text that grows without end. */
const aliasCountMax = 100

/** A value that was read, with what tells a mistake in it. */
export interface PlacedYaml {
  readonly value: Readonly<Record<string, unknown>>
  /** An error that begins with `file:line:column` of what is at this path, or of the nearest around it that is there. */
  mistakeAt(path: readonly PropertyKey[], message: string): LllmError
}

/** Reads a YAML mapping as {@link readPlacedYaml} does. */
export function readYaml(text: string, origin: YamlOrigin): Readonly<Record<string, unknown>> {
  return readPlacedYaml(text, origin).value
}

/**
 * Reads a YAML mapping; an empty text is an empty one. Merge keys (`<<`) and tags are not part of it, nor are keys that reach
 * a prototype.
 *
 * The library's own check for duplicate keys takes quadratic time, so it is off and ours is linear. Bound the text before.
 *
 * @throws LllmError with the given code, whose message begins with `file:line:column` where there is one place to show.
 */
export function readPlacedYaml(text: string, origin: YamlOrigin): PlacedYaml {
  const lines = new LineCounter()
  const mistake = (message: string, position?: number) => {
    const { line, col } = lines.linePos(position ?? 0)
    const place = position === undefined ? '' : `:${line + (origin.linesBefore ?? 0)}:${col}`
    return new LllmError(origin.code, `${origin.file}${place}: ${message}`, { file: origin.file })
  }
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      logLevel: 'error',
      merge: false,
      prettyErrors: false,
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: false,
    })
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) throw mistake(tellProblem(problem.message), problem.pos[0])
    visit(document, {
      Map(_key, { items }) {
        const seen = new Set<unknown>()
        for (const { key } of items) {
          const name = isScalar(key) ? key.value : undefined
          const refuse = (message: string) => mistake(message, isScalar(key) ? key.range?.[0] : undefined)
          if (seen.has(name)) throw refuse(`The key "${name}" is there twice.`)
          if (forbiddenKeys.has(String(name)))
            throw refuse(`The key "${name}" is not allowed: it would reach a prototype.`)
          seen.add(name)
        }
      },
    })
    const value: unknown = document.toJS({ maxAliasCount: aliasCountMax }) ?? {}
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw mistake('It must be a mapping of keys to values.')
    }
    return {
      value: value as Readonly<Record<string, unknown>>,
      mistakeAt(path, message) {
        const nodes = path.map((_, dropped) => document.getIn(path.slice(0, path.length - dropped), true))
        return mistake(message, nodes.find(isNode)?.range?.[0])
      },
    }
  } catch (error) {
    if (isLllmError(error)) throw error
    // Too many aliases, or nesting that is deeper than the stack.
    throw mistake(`It cannot be read as YAML: ${tellProblem(error instanceof Error ? error.message : String(error))}.`)
  }
}

/** The library meets nesting without an end as an error of its own. */
function tellProblem(message: string): string {
  return message.startsWith('Maximum call stack') ? 'it nests too deeply' : message
}
