export interface ServerSentEvent {
  /** Empty where the event has no name. */
  readonly name: string
  readonly data: string
  /** Where the event has one of its own. */
  readonly id?: string
}

/** Characters of one event, where whoever reads does not say. Events of providers hold a few tokens; the largest repeats a whole reply. */
export const eventLengthMax = 1024 * 1024

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from bytes that come in any
 * pieces, in time that is linear in their number. Comments, unknown fields and lines that are no fields mean nothing.
 */
export class EventDecoder {
  /** A byte order mark at the beginning is left out. */
  readonly #utf8 = new TextDecoder()
  readonly #lengthMax: number
  /** The beginning of a line whose end has not come, in the pieces in which it came. */
  #line: string[] = []
  #lineLength = 0
  #endedWithCr = false
  #name = ''
  #data = ''
  #id: string | undefined

  constructor(lengthMax = eventLengthMax) {
    this.#lengthMax = lengthMax
  }

  /** The events that these bytes complete. @throws RangeError when an event is too long. */
  decode(bytes: Uint8Array): readonly ServerSentEvent[] {
    const text = this.#withoutLateEnd(this.#utf8.decode(bytes, { stream: true }))
    const lines = text.includes('\r') ? text.split(/\r\n?|\n/) : text.split('\n')
    // What follows the last end of a line is the beginning of the next one.
    const rest = lines.pop() ?? ''
    const events: ServerSentEvent[] = []
    for (const line of lines) this.#takeLine(this.#completed(line), events)
    this.#keep(rest)
    return events
  }

  /** The event that the bytes broke off after, if there is one: some servers leave out the last empty line. */
  end(): readonly ServerSentEvent[] {
    const events: ServerSentEvent[] = []
    this.#takeLine(this.#completed(this.#utf8.decode()), events)
    this.#takeLine('', events)
    return events
  }

  /** The second half of a line's end may come late. */
  #withoutLateEnd(text: string): string {
    if (text === '') return text
    const isLate = this.#endedWithCr && text[0] === '\n'
    this.#endedWithCr = text.endsWith('\r')
    return isLate ? text.slice(1) : text
  }

  #completed(end: string): string {
    if (this.#line.length === 0) return end
    const line = this.#line.join('') + end
    this.#line = []
    this.#lineLength = 0
    return line
  }

  #keep(rest: string): void {
    if (rest !== '') this.#line.push(rest)
    this.#lineLength += rest.length
    if (this.#lineLength + this.#data.length > this.#lengthMax) {
      throw new RangeError(`An event has more than ${this.#lengthMax} characters.`)
    }
  }

  #takeLine(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data !== '') events.push(this.#event())
      this.#name = ''
      this.#data = ''
      this.#id = undefined
    } else if (line.startsWith('data:')) {
      const value = fieldValue(line, 5)
      this.#data = this.#data === '' ? value : `${this.#data}\n${value}`
    } else if (line.startsWith('event:')) {
      this.#name = fieldValue(line, 6)
    } else if (line.startsWith('id:')) {
      this.#id = fieldValue(line, 3)
    }
  }

  #event(): ServerSentEvent {
    const event = { name: this.#name, data: this.#data }
    return this.#id === undefined ? event : { ...event, id: this.#id }
  }
}

/** One space after the colon belongs to the colon. */
function fieldValue(line: string, start: number): string {
  return line.slice(line[start] === ' ' ? start + 1 : start)
}
