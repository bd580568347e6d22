/**
 * A character that is written otherwise: with backslashes, as JSON has it, once or several times over, or as percent-encoding has it.
 *
 * It takes time in proportion to the text, whatever is in it.
 */
const escapes =
  /\\+(?:u[0-9A-Fa-f]{4}|["/bfnrt])?|%(?:25)*(?:[0-7][0-9A-Fa-f]|[C-Fc-f][0-9A-Fa-f](?:%(?:25)*[89ABab][0-9A-Fa-f]){1,3})/g

/** What may be the beginning of one, at the end of a text that goes on, and how much of the end is looked at. */
const openEscape = /(?:\\+(?:u[0-9A-Fa-f]{0,3})?|%[0-9A-Fa-f%]{0,32})$/
const openLengthMax = 64

const letters: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/**
 * A text without escapes. How often something was escaped does not matter, so that this is what all ways to write a text have in common,
 * and nothing that could be read: a backslash that was meant counts as one that was not, and `+` is a space, as in forms.
 */
export function withoutEscapes(text: string): string {
  return text.replace(escapes, decode).replaceAll('+', ' ')
}

/** The same, and where in the text each of its characters begins; at last, where the text ends. */
export function locateCharacters(text: string): { readonly plain: string; readonly starts: readonly number[] } {
  const starts: number[] = []
  const addUpTo = (end: number) => {
    for (; next < end; next++) starts.push(next)
  }
  let next = 0
  for (const { 0: written, index } of text.matchAll(escapes)) {
    addUpTo(index)
    for (let count = decode(written).length; count > 0; count--) starts.push(index)
    next = index + written.length
  }
  addUpTo(text.length)
  return { plain: withoutEscapes(text), starts: [...starts, text.length] }
}

/** Up to where a text has no escape whose end may be still to come. */
export function lengthBeforeOpenEscape(text: string): number {
  const end = text.slice(-openLengthMax)
  const at = openEscape.exec(end)?.index
  return at === undefined ? text.length : text.length - end.length + at
}

function decode(written: string): string {
  if (written.startsWith('%')) return decodePercent(written)
  const letter = written.replace(/^\\+/, '')
  if (letter === '') return '\\'
  return letters[letter] ?? (letter.length === 1 ? letter : String.fromCharCode(Number.parseInt(letter.slice(1), 16)))
}

function decodePercent(written: string): string {
  try {
    return decodeURIComponent(written.replace(/%(?:25)+(?=[0-9A-Fa-f]{2})/g, '%'))
  } catch {
    return written
  }
}
