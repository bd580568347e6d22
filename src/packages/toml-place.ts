/**
 * Where something stands in a TOML text, in lines and columns from 1: a table, a key of it, or an entry of the key's array.
 *
 * The parser tells no places for what it has read without a mistake. This looks for tables and keys as people write them;
 * of what is written otherwise, it finds the table, or the beginning of the file.
 */
export function findTomlPlace(
  text: string,
  path: readonly string[],
): { readonly line: number; readonly column: number } {
  const [table, key, index] = path
  const lines = text.split('\n')
  const start = { line: 1, column: 1 }
  if (table === undefined) return start
  const header = lines.findIndex((line) => tableOf(line) === table)
  if (header === -1) return start
  const keyLine = key === undefined ? -1 : findKey(lines, header, key)
  if (keyLine === -1) return { line: header + 1, column: columnOf(lines[header] ?? '', '[') }
  const found = { line: keyLine + 1, column: columnOf(lines[keyLine] ?? '', key ?? '') }
  if (index === undefined || !/^\d+$/.test(index)) return found
  return findEntry(lines, keyLine, Number(index)) ?? found
}

function tableOf(line: string): string | undefined {
  return /^\s*\[\s*"?([^\]"]*?)"?\s*\]/.exec(line)?.[1]
}

/** The line of a key, from the line of its table on. */
function findKey(lines: readonly string[], header: number, key: string): number {
  for (let line = header + 1; line < lines.length && tableOf(lines[line] ?? '') === undefined; line++) {
    if (/^\s*"?([^"=\s]+)"?\s*=/.exec(lines[line] ?? '')?.[1] === key) return line
  }
  return -1
}

/** The place of an array's text with this index. */
function findEntry(lines: readonly string[], from: number, index: number) {
  let left = index
  for (let line = from; line < lines.length; line++) {
    const text = lines[line] ?? ''
    const offset = line === from ? text.indexOf('=') + 1 : 0
    for (const match of text.slice(offset).matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g)) {
      if (left-- === 0) return { line: line + 1, column: offset + match.index + 1 }
    }
    if (text.slice(offset).trimEnd().endsWith(']')) return undefined
  }
  return undefined
}

function columnOf(line: string, part: string): number {
  return Math.max(0, line.indexOf(part)) + 1
}
