import { LllmError } from './errors.ts'

/** What may stand in a slot. Values are inserted once and never read as a template themselves. */
export type PromptArgs = Readonly<Record<string, string | number | boolean>>

/**
 * The names of the slots of a template, read from its literal type: `'{topic} in {count} words'` gives
 * `'topic' | 'count'`. A template whose text is not known to the compiler gives `string`.
 */
export type SlotsOf<Text extends string> = string extends Text ? string : SlotsIn<Unescaped<Text>>

type Unescaped<Text extends string> = Text extends `${infer Head}{{${infer Tail}` ? Unescaped<`${Head} ${Tail}`> : Text
type SlotsIn<Text extends string, Found extends string = never> = Text extends `${string}{${infer Tail}`
  ? Tail extends `${infer Slot}}${infer Rest}`
    ? IsIdentifier<Slot> extends true
      ? SlotsIn<Rest, Found | Slot>
      : SlotsIn<Tail, Found>
    : Found
  : Found
type IsIdentifier<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? First extends Letter
    ? IsWord<Rest>
    : false
  : false
type IsWord<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? First extends Letter | Digit
    ? IsWord<Rest>
    : false
  : true
type Lower =
  | ('a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm')
  | ('n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z')
type Letter = Lower | Uppercase<Lower> | '_'
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'

/** The arguments of a template: all of its slots, none missing. */
export type ArgsOf<Text extends string> =
  string extends SlotsOf<Text> ? PromptArgs : { readonly [Slot in SlotsOf<Text>]: string | number | boolean }

type Piece = { readonly text: string } | { readonly slot: string }

/** A template that was read once and can be rendered any number of times. */
export interface Template {
  readonly source: string
  /** The names of the slots, each once, in order of appearance. */
  readonly slots: readonly string[]
  /** @throws LllmError `missing-variables`, which lists all of them. */
  render(args?: PromptArgs): string
}

/**
 * Reads a template. A slot is one identifier in braces: `{topic}`. `{{` and `}}` are literal braces. Every other brace
 * stands for itself, so that JSON needs no escaping: where `}}` closes two single braces, as in `{"a":{"b":1}}`, it is two.
 */
export function compileTemplate(source: string): Template {
  const pieces = readPieces(source)
  const slots = [...new Set(pieces.flatMap((piece) => ('slot' in piece ? [piece.slot] : [])))]
  return {
    source,
    slots,
    render(args = {}) {
      const missing = slots.filter((slot) => !Object.hasOwn(args, slot) || args[slot] === undefined)
      if (missing.length > 0) {
        const given = Object.keys(args)
        const told = given.length > 0 ? ` Given: ${given.join(', ')}.` : ''
        throw new LllmError('missing-variables', `The prompt needs a value for: ${missing.join(', ')}.${told}`, {
          known: slots,
        })
      }
      return pieces.map((piece) => ('slot' in piece ? String(args[piece.slot]) : piece.text)).join('')
    },
  }
}

/** Slots, doubled braces and single ones. Each alternative is bounded, so the scan is linear. */
const brace = /\{\{|\{([A-Za-z_][A-Za-z0-9_]{0,63})\}|\{|\}/g

function readPieces(source: string): readonly Piece[] {
  const pieces: Piece[] = []
  const open: ('{' | '{{')[] = []
  let readUpTo = 0
  for (const match of source.matchAll(brace)) {
    const [token, slot] = match
    // The second half of a `}}` that has been read.
    if (match.index < readUpTo) continue
    pieces.push({ text: source.slice(readUpTo, match.index) })
    readUpTo = match.index + token.length
    if (slot !== undefined) {
      pieces.push({ slot })
    } else if (token === '}') {
      const isDoubled = source[readUpTo] === '}' && open.at(-1) !== '{'
      if (isDoubled) readUpTo += 1
      if (isDoubled || open.at(-1) === '{') open.pop()
      pieces.push({ text: '}' })
    } else {
      open.push(token === '{{' ? '{{' : '{')
      pieces.push({ text: '{' })
    }
  }
  pieces.push({ text: source.slice(readUpTo) })
  return pieces
}
