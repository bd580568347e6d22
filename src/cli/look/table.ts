import { cutTo, displayWidth, harmless } from '../display-text.ts'
import type { Output } from '../shell.ts'
import { styled, write } from '../write.ts'

export interface Column {
  readonly title: string
  readonly align?: 'right'
  /** Where a terminal is too narrow, columns with this go first, the last of them before the others. */
  readonly canGo?: true
  /** Where a terminal is too narrow nevertheless, this one is cut, down to a few characters. */
  readonly canShrink?: true
}

/** The narrowest that a column is cut to. */
const shrunkColumnsMin = 8
const gap = '  '

/**
 * Writes a table. On a terminal it is made to fit; anywhere else nothing is left out, so that programs find all of it.
 * Cells are made harmless here.
 */
export async function writeTable(
  output: Output,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const cells = rows.map((row) => row.map(harmless))
  const widths = columns.map(({ title }, index) =>
    cells.reduce((width, row) => Math.max(width, displayWidth(row[index] ?? '')), displayWidth(title)),
  )
  const available = output.isTTY === true ? (output.columns ?? Infinity) : Infinity
  const shown = chooseColumns(columns, widths, available)
  const fitted = shrink(columns, widths, shown, available)
  const line = (row: readonly string[]) =>
    shown
      .map((index) => pad(row[index] ?? '', fitted[index] ?? 0, columns[index]?.align))
      .join(gap)
      .trimEnd()
  const titles = columns.map(({ title }) => title)
  await write(output, `${[styled(output, 'bold', line(titles)), ...cells.map(line)].join('\n')}\n`)
}

/** The indexes of the columns that are shown. */
function chooseColumns(columns: readonly Column[], widths: readonly number[], available: number): readonly number[] {
  let shown = columns.map((_, index) => index)
  while (total(shown, leastWidths(columns, widths)) > available) {
    const gone = shown.findLast((index) => columns[index]?.canGo)
    if (gone === undefined) break
    shown = shown.filter((index) => index !== gone)
  }
  return shown
}

function leastWidths(columns: readonly Column[], widths: readonly number[]): readonly number[] {
  return widths.map((width, index) => (columns[index]?.canShrink ? Math.min(width, shrunkColumnsMin) : width))
}

function shrink(
  columns: readonly Column[],
  widths: readonly number[],
  shown: readonly number[],
  available: number,
): readonly number[] {
  const least = leastWidths(columns, widths)
  let excess = total(shown, widths) - available
  return widths.map((width, index) => {
    if (!shown.includes(index) || excess <= 0) return width
    const shrunk = Math.max(least[index] ?? 0, width - excess)
    excess -= width - shrunk
    return shrunk
  })
}

function total(shown: readonly number[], widths: readonly number[]): number {
  return shown.reduce((sum, index) => sum + (widths[index] ?? 0), gap.length * (shown.length - 1))
}

function pad(text: string, width: number, align: Column['align']): string {
  const fitted = cutTo(text, width)
  const space = ' '.repeat(Math.max(0, width - displayWidth(fitted)))
  return align === 'right' ? space + fitted : fitted + space
}
