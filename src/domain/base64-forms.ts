const encoder = new TextEncoder()

/**
 * What stays the same of the base64 of whatever has a text in it, by how many bytes come before that: in both alphabets. Each has more
 * characters than the text.
 */
export function base64FormsOf(text: string): readonly string[] {
  const bytes = [...encoder.encode(text)]
  return [0, 1, 2].flatMap((before) => {
    const all = [...Array<number>(before).fill(0), ...bytes]
    // A character has six bits. Those at the ends have some of what is beside the text.
    const base64 = btoa(all.map((byte) => String.fromCharCode(byte)).join(''))
    const form = base64.slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6))
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

const alphanumeric = new Uint8Array(128)
for (const one of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789') alphanumeric[one.charCodeAt(0)] = 1

/** How many letters and digits one of the forms has in a row, at the least: what else there is depends on the alphabet. */
export function runLengthOf(forms: readonly string[]): number {
  return Math.min(...forms.map((form) => Math.max(...form.split(/[^A-Za-z0-9]+/).map(({ length }) => length))))
}

/** Whether a text has so many letters and digits in a row. Of prose, most is not looked at. */
export function hasRun(text: string, length: number): boolean {
  for (let start = 0; start + length <= text.length; ) {
    let at = start + length - 1
    while (at >= start && alphanumeric[text.charCodeAt(at)] === 1) at--
    if (at < start) return true
    start = at + 1
  }
  return false
}
