import type { CostGroup, CostReport } from '../domain/session-store.ts'
import { toCostsAnswer } from './cost-answer.ts'

/**
 * The cost report as CSV (RFC 4180) with a header. Money is in plain decimals, and is empty where nothing could be priced.
 * The total is left out: whoever sums a column would count it twice.
 */
export function toCostsCsv(report: CostReport, groupBy: readonly CostGroup[]): string {
  const { data, total } = toCostsAnswer(report, groupBy)
  const columns = [...groupBy, ...Object.keys(total)]
  const rows = data.map((row: Readonly<Record<string, unknown>>) => columns.map((column) => toCell(row[column])))
  return [columns.map(toCell), ...rows].map((cells) => `${cells.join(',')}\r\n`).join('')
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return toPlainDecimal(value)
  const text = String(value)
  // Spreadsheets run a cell that begins so as a formula, and the value of a tag is whatever a caller wrote.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Without an exponent, which not every reader of CSV understands. Money has 12 decimals at most. */
function toPlainDecimal(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(12).replace(/\.?0+$/, '')
}
