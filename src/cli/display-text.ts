/** Texts of models and callers go to terminals: what would move a cursor or hide a part of them is shown as its escape. */

/** Control characters of ASCII and Unicode, those that turn the direction of writing, and halves of characters. */
const harmful = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}\ufeff]/gu

/** The text on one line, with nothing in it that a terminal obeys. */
export function harmless(text: string): string {
  return text.replace(harmful, escapeCharacter)
}

/** The same for a text that keeps its lines. */
export function harmlessLines(text: string): string {
  return text.replace(harmful, (character) => (character === '\n' ? character : escapeCharacter(character)))
}

/** The same for a text that keeps its lines and tabs, as authors and models write them. */
export function harmlessText(text: string): string {
  return text.split('\t').map(harmlessLines).join('\t')
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

let segmenter: Intl.Segmenter | undefined

/** What is needed for it takes 10 ms to load, and most texts do without. */
function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** Characters that take two columns: those of East Asia, and emoji. */
const wide =
  /^(?:\p{Emoji_Presentation}|.\ufe0f|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u

/** The columns that a text without escapes takes on a terminal. */
export function displayWidth(text: string): number {
  if (isPlain(text)) return text.length
  let width = 0
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment)
  return width
}

function graphemeWidth(segment: string): number {
  if (wide.test(segment)) return 2
  return /^[\p{Mn}\p{Me}\p{Cf}]+$/u.test(segment) ? 0 : 1
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** The text, or as much of its beginning as fits into a number of columns, with an ellipsis. */
export function cutTo(text: string, columns: number): string {
  if (columns <= 0) return ''
  // Longer than this it cannot fit, whatever it consists of but for marks without end.
  const judged = text.slice(0, (columns + 1) * 16)
  if (judged.length === text.length && displayWidth(text) <= columns) return text
  if (isPlain(judged)) return `${judged.slice(0, columns - 1)}…`
  let width = 0
  let kept = ''
  for (const { segment } of graphemesOf(judged)) {
    width += graphemeWidth(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return `${kept}…`
}

/** The text, or as many of its last words as fit into a number of columns, after an ellipsis. Bounded: it is gone through whole. */
export function lastWordsOf(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const { segment } of [...graphemesOf(text)].reverse()) {
    width += graphemeWidth(segment)
    if (width > columns - 1) break
    kept = segment + kept
  }
  // Many languages part no words: then what fits is shown.
  return `…${kept.slice(kept.indexOf(' ') + 1)}`
}

/** A value of a session as one line: a text as it is, anything else as JSON. Bounded, for it may have megabytes. */
export function inOneLine(value: unknown): string {
  const text = typeof value === 'string' ? value.slice(0, shownCharactersMax) : (JSON.stringify(value) ?? '')
  return harmless(text.slice(0, shownCharactersMax))
}

/** More than any line of a terminal shows. */
const shownCharactersMax = 4_096
