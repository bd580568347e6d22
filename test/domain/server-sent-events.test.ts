import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventDecoder, eventLengthMax, type ServerSentEvent } from '../../src/domain/server-sent-events.ts'

/** The events in these bytes, when they come in these pieces. */
function decode(...pieces: readonly (string | Buffer)[]): readonly ServerSentEvent[] {
  const decoder = new EventDecoder()
  const events = pieces.flatMap((piece) => decoder.decode(Buffer.from(piece as string)))
  return [...events, ...decoder.end()]
}

const hello = [{ name: '', data: 'hello' }]

describe('reading server-sent events', () => {
  test.each([
    ['a space after the colon', 'data: hello\n\n'],
    ['no space after the colon', 'data:hello\n\n'],
    ['lines that end as on Windows', 'data: hello\r\n\r\n'],
    ['lines that end as on the first Macs', 'data: hello\r\r'],
    ['a byte order mark', '\ufeffdata: hello\n\n'],
    ['comments', ': are you still there?\n\ndata: hello\n:\n\n:\n\n'],
    ['times to wait, and fields that nobody knows', 'retry: 10\ncolour: red\ndata: hello\n\n'],
    ['lines that are no fields', '<html>\ndata hello\ndata\ndata: hello\n\n'],
    ['events without data', 'event: ping\n\ndata:\n\n\n\ndata: hello\n\n'],
    ['no empty line at the end', 'data: hello\n'],
    ['no end of the last line', 'data: hello'],
  ])('takes %s', (_, text) => {
    expect(decode(text)).toEqual(hello)
  })

  test('gives the name of an event, and forgets it with the event', () => {
    expect(decode('event: error\ndata: 1\n\ndata: 2\n\n')).toEqual([
      { name: 'error', data: '1' },
      { name: '', data: '2' },
    ])
  })

  test('gives the id of an event that has one', () => {
    expect(decode('id: 7\ndata: 1\n\ndata: 2\n\nid:8\n\ndata: 3\nid: 9\n\n')).toEqual([
      { name: '', data: '1', id: '7' },
      { name: '', data: '2' },
      { name: '', data: '3', id: '9' },
    ])
  })

  test('joins the lines of data', () => {
    expect(decode('data: {\ndata:  "a": 1\ndata: }\n\n')).toEqual([{ name: '', data: '{\n "a": 1\n}' }])
  })

  test('gives an event as soon as its empty line has come', () => {
    const decoder = new EventDecoder()
    expect(decoder.decode(Buffer.from('data: hel'))).toEqual([])
    expect(decoder.decode(Buffer.from('lo\n'))).toEqual([])
    expect(decoder.decode(Buffer.from('\ndata: mo'))).toEqual(hello)
  })

  test.each([
    ['in a line', 'data: x'],
    ['in lines', 'data: x\n'],
  ])('gives an event up that never ends, %s', (_, piece) => {
    const decoder = new EventDecoder()
    const pieces = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)))
    const feed = () => {
      for (let bytes = 0; bytes < 8 * eventLengthMax; bytes += pieces.length) decoder.decode(pieces)
    }
    expect(feed).toThrow(RangeError)
  })

  test('reads a long event that comes byte by byte in time that is linear in its length', () => {
    const decoder = new EventDecoder()
    const data = 'x'.repeat(500_000)
    const events = [...Buffer.from(`data: ${data}\n\n`)].flatMap((byte) => decoder.decode(Buffer.of(byte)))
    expect(events).toEqual([{ name: '', data }])
  })

  test('does not depend on the pieces in which the bytes come, even within a character or an end of a line', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => `x${text.replaceAll(/[\r\n]/g, '')}`)
    const event = fc.record({ name: fc.constantFrom('', 'error', 'ünï'), lines: fc.array(line, { minLength: 1 }) })
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
    await fc.assert(
      fc.property(
        fc.array(event),
        lineEnd,
        fc.boolean(),
        fc.infiniteStream(fc.nat(9)),
        (events, end, hasMark, cuts) => {
          const frames = events.map(({ name, lines }) =>
            [...(name ? [`event: ${name}`] : []), ': note', ...lines.map((text) => `data: ${text}`), '', ''].join(end),
          )
          const bytes = Buffer.from((hasMark ? '\ufeff' : '') + frames.join(''))
          const pieces: Buffer[] = []
          for (let start = 0; start < bytes.length; start += pieces.at(-1)?.length ?? 0) {
            pieces.push(bytes.subarray(start, start + 1 + (cuts.next().value ?? 0)))
          }
          expect(decode(...pieces)).toEqual(events.map(({ name, lines }) => ({ name, data: lines.join('\n') })))
        },
      ),
    )
  })

  test('never fails, whatever short bytes come', async () => {
    await fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
        for (const { data } of decode(...pieces.map((piece) => Buffer.from(piece)))) expect(data).not.toBe('')
      }),
    )
  })
})
