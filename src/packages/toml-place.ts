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

/** Written without a pattern that could be slow: the line may be a part of a text that somebody has made to be one. */
function tableOf(line: string): string | undefined {
  const text = line.trim()
  const end = text.startsWith('[') ? text.indexOf(']') : -1
  return end === -1 ? undefined : unquote(text.slice(1, end).trim())
}

function unquote(name: string): string {
  return name.length > 1 && name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1) : name
}

/** The line of a key, from the line of its table on. */
function findKey(lines: readonly string[], header: number, key: string): number {
  for (let line = header + 1; line < lines.length && tableOf(lines[line] ?? '') === undefined; line++) {
    if (/^\s*"?([^"=\s]+)"?\s*=/.exec(lines[line] ?? '')?.[1] === key) return line
  }
  return -1
}

/** The place of an array's entry with this index. Each character is looked at once. */
function findEntry(lines: readonly string[], from: number, index: number) {
  let depth = 0
  let commas = 0
  for (let line = from; line < lines.length; line++) {
    const text = lines[line] ?? ''
    for (let at = line === from ? text.indexOf('=') + 1 : 0; at < text.length; at++) {
      const character = text.charAt(at)
      if (character === '#') break
      if (depth === 1 && commas === index && !' \t\r,]'.includes(character)) return { line: line + 1, column: at + 1 }
      if (character === '"' || character === "'") at = endOfText(text, at)
      else if (character === '[' || character === '{') depth++
      else if (character === ',' && depth === 1) commas++
      else if ((character === ']' || character === '}') && --depth === 0) return undefined
    }
  }
  return undefined
}

/** Where the text that begins here ends: at its other quote, or with the line. */
function endOfText(text: string, start: number): number {
  const quote = text.charAt(start)
  for (let at = start + 1; at < text.length; at++) {
    if (text.charAt(at) === quote) return at
    if (text.charAt(at) === '\\' && quote === '"') at++
  }
  return text.length
}

function columnOf(line: string, part: string): number {
  return Math.max(0, line.indexOf(part)) + 1
}
