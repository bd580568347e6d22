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

/** Letters and digits in a row. */
export interface Run {
  readonly length: number
  /** Whether there is a capital among them, as in nearly all base64, and never in the hex of a hash. */
  readonly hasCapital: boolean
}

/** What of letters and digits in a row each of the forms has, at the least: what else there is depends on the alphabet. */
export function runIn(forms: readonly string[]): Run {
  const runs = forms.map((form) =>
    form.split(/[^A-Za-z0-9]+/).reduce((longest, run) => (run.length > longest.length ? run : longest)),
  )
  const length = Math.min(...runs.map((run) => run.length))
  return { length, hasCapital: runs.every((run) => /[A-Z]/.test(run)) }
}

/** Whether a text has so much of letters and digits in a row. Of prose, most is not looked at. */
export function hasRun(text: string, { length, hasCapital }: Run): boolean {
  for (let start = 0; start + length <= text.length; ) {
    let at = start + length - 1
    while (at >= start && alphanumeric[text.charCodeAt(at)] === 1) at--
    if (at >= start) {
      start = at + 1
      continue
    }
    if (!hasCapital) return true
    for (at = start; alphanumeric[text.charCodeAt(at)] === 1; at++) if (isCapital(text.charCodeAt(at))) return true
    start = at + 1
  }
  return false
}

function isCapital(code: number): boolean {
  return code >= 65 && code <= 90
}
