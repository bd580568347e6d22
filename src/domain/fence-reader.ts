interface Fence {
  /** The run of backticks or tildes that it was opened with. */
  readonly marker: string
  readonly info: string
  readonly contentStart: number
}

/**
 * Finds fenced blocks by the first word of their info string, in one pass over the lines. They are read as in CommonMark,
 * except that they may be indented further: a fence is closed by a line of at least as many of the same marks, and
 * nothing inside it is a fence. One that is never closed is no block, for the reply was cut.
 */
export function readFences(text: string, infos: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const blocks = new Map<string, string[]>()
  let open: Fence | undefined
  for (let start = 0; start < text.length; ) {
    const lineBreak = text.indexOf('\n', start)
    const next = lineBreak === -1 ? text.length : lineBreak + 1
    const line = text.slice(start, lineBreak === -1 ? text.length : lineBreak).trim()
    if (open === undefined) {
      open = readOpening(line, next)
    } else if (closes(line, open)) {
      if (infos.has(open.info)) {
        const content = text.slice(open.contentStart, start).replace(/\r?\n$/, '')
        const sameInfo = blocks.get(open.info)
        if (sameInfo === undefined) blocks.set(open.info, [content])
        else sameInfo.push(content)
      }
      open = undefined
    }
    start = next
  }
  return blocks
}

function readOpening(line: string, contentStart: number): Fence | undefined {
  const marker = markerOf(line)
  if (marker.length < 3) return undefined
  const info = line.slice(marker.length).trim()
  // A line such as ```code``` is code in a line of text, and opens nothing.
  if (marker.startsWith('`') && info.includes('`')) return undefined
  return { marker, info: info.split(/\s/, 1)[0] ?? '', contentStart }
}

function closes(line: string, { marker }: Fence): boolean {
  return line.startsWith(marker) && markerOf(line) === line
}

/** The run of backticks or tildes that a line begins with. */
function markerOf(line: string): string {
  return /^(?:`+|~+)/.exec(line)?.[0] ?? ''
}
