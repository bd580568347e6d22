/** Parts bytes that come in any pieces into lines, in time that is linear in their number. */
export class LineDecoder {
  readonly #utf8 = new TextDecoder()
  readonly #lengthMax: number
  /** The beginning of a line whose end has not come, in the pieces in which it came. */
  #pieces: string[] = []
  #length = 0

  /** @param lengthMax Characters of a line. */
  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax
  }

  /** The lines that these bytes complete, without their ends. @throws RangeError when a line is too long. */
  decode(bytes: Uint8Array): readonly string[] {
    const lines = this.#utf8.decode(bytes, { stream: true }).split('\n')
    const rest = lines.pop() ?? ''
    const [first] = lines
    if (first !== undefined) {
      lines[0] = this.#pieces.join('') + first
      this.#pieces = []
      this.#length = 0
    }
    this.#pieces.push(rest)
    this.#length += rest.length
    if (this.#length > this.#lengthMax) throw new RangeError(`A line has more than ${this.#lengthMax} characters.`)
    return lines
  }
}
