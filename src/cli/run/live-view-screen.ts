import { cutTo, displayWidth } from '../display-text.ts'
import type { Output, Shell } from '../shell.ts'
import { styled, write } from '../write.ts'

export interface ScreenLine {
  /** Without control characters. */
  readonly text: string
  readonly style?: 'bold' | 'dim' | 'red'
}

const columnsDefault = 80
const rowsDefault = 24

/**
 * The standard error with some lines at its end that are drawn anew in place. Where it is no terminal, nothing is drawn and
 * only what is said appears.
 */
export class Screen {
  /** Whether lines can be drawn. */
  readonly isLive: boolean
  readonly #output: Output
  #drawn: readonly ScreenLine[] = []
  /** The widths of what is on the screen, by line. */
  #widths: readonly number[] = []

  constructor({ stderr, env }: Pick<Shell, 'stderr' | 'env'>) {
    this.#output = stderr
    this.isLive = stderr.isTTY === true && env['TERM'] !== 'dumb'
  }

  /** Shows these lines instead of those before. A terminal that does not keep up misses some of it. */
  draw(lines: readonly ScreenLine[]): void {
    if (!this.isLive || this.#output.writableNeedDrain) return
    const text = this.#erase() + this.#render(lines)
    if (text !== '') this.#output.write(text)
  }

  /** Writes something that stays, above the lines that are drawn. */
  async say(text: string): Promise<void> {
    const lines = this.#drawn
    const erase = this.#erase()
    const ended = text.endsWith('\n') ? text : `${text}\n`
    await write(this.#output, erase + ended + this.#render(lines))
  }

  /** Takes the lines away. */
  clear(): void {
    this.draw([])
  }

  /** Leaves the lines where they are: what comes next stands below. */
  leave(): void {
    this.#drawn = []
    this.#widths = []
  }

  #render(lines: readonly ScreenLine[]): string {
    this.#drawn = lines
    // In the last column some terminals begin a new line by themselves.
    const columns = Math.max(1, this.columns - 1)
    const rows = Math.max(1, (this.#output.rows || rowsDefault) - 1)
    const shown = lines.slice(-rows).map(({ text, style }) => ({ text: cutTo(text, columns), style }))
    this.#widths = shown.map(({ text }) => displayWidth(text))
    return shown
      .map(({ text, style }) => `${style === undefined ? text : styled(this.#output, style, text)}\n`)
      .join('')
  }

  /** How wide it is. Some terminals do not know, and say 0. */
  get columns(): number {
    return this.#output.columns || columnsDefault
  }

  /** A terminal that has become narrower since has broken the lines into several: as many as are gone up. */
  #erase(): string {
    const columns = this.columns
    const rows = this.#widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0)
    this.leave()
    return rows === 0 ? '' : `\x1b[${rows}A\r\x1b[J`
  }
}
