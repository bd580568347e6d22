import { StringDecoder } from 'node:string_decoder'

export interface ServerSentEvent {
  /** Empty where the event has no name. */
  readonly name: string
  readonly data: string
}

/** Characters of one event. Events hold a few tokens; the largest repeats a whole reply. */
export const eventLengthMax = 1024 * 1024

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) from bytes that come in any
 * pieces, in time that is linear in their number. Comments, ids, unknown fields and lines that are no fields mean nothing.
 */
export class EventDecoder {
  readonly #utf8 = new StringDecoder('utf8')
  /** The beginning of a line whose end has not come, in the pieces in which it came. */
  #line: string[] = []
  #lineLength = 0
  #isAtStart = true
  #endedWithCr = false
  #name = ''
  #data = ''

  /** The events that these bytes complete. @throws RangeError when an event is too long. */
  decode(bytes: Buffer): readonly ServerSentEvent[] {
    const text = this.#withoutOddBeginning(this.#utf8.write(bytes))
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
    this.#takeLine(this.#completed(this.#utf8.end()), events)
    this.#takeLine('', events)
    return events
  }

  /** A byte order mark may come first, and the second half of a line's end may come late. */
  #withoutOddBeginning(text: string): string {
    if (text === '') return text
    const isOdd = (this.#isAtStart && text[0] === '\ufeff') || (this.#endedWithCr && text[0] === '\n')
    this.#isAtStart = false
    this.#endedWithCr = text.endsWith('\r')
    return isOdd ? text.slice(1) : text
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
    if (this.#lineLength + this.#data.length > eventLengthMax) {
      throw new RangeError(`An event has more than ${eventLengthMax} characters.`)
    }
  }

  #takeLine(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data !== '') events.push({ name: this.#name, data: this.#data })
      this.#name = ''
      this.#data = ''
    } else if (line.startsWith('data:')) {
      const value = fieldValue(line, 5)
      this.#data = this.#data === '' ? value : `${this.#data}\n${value}`
    } else if (line.startsWith('event:')) {
      this.#name = fieldValue(line, 6)
    }
  }
}

/** One space after the colon belongs to the colon. */
function fieldValue(line: string, start: number): string {
  return line.slice(line[start] === ' ' ? start + 1 : start)
}
