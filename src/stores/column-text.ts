/**
 * A text as it stands in a column. Lone surrogates, NUL and other control characters become JSON's escapes: no database
 * keeps all of them, and a text that came back changed would no longer be found. Ordinary text stays as it is.
 */
export function toColumnText(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

export function fromColumnText(column: string): string {
  return column.includes('\\') ? (JSON.parse(`"${column}"`) as string) : column
}
