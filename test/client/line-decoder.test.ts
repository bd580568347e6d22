import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineDecoder } from '../../src/client/line-decoder.ts'

test('lines do not depend on the pieces in which their bytes come, even within a character', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', '').replace(/^\ufeff/, ''))
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.infiniteStream(fc.nat(9)), (lines, cuts) => {
      const bytes = Buffer.from(`${lines.join('\n')}\n`)
      const decoder = new LineDecoder(1_000_000)
      const read: string[] = []
      for (let start = 0; start < bytes.length; ) {
        const end = start + 1 + (cuts.next().value ?? 0)
        read.push(...decoder.decode(bytes.subarray(start, end)))
        start = end
      }
      expect(read).toEqual(lines)
    }),
  )
})

test('a long line that comes byte by byte is read in time that is linear in its length', () => {
  const decoder = new LineDecoder(1_000_000)
  const text = 'x'.repeat(500_000)
  const lines = [...Buffer.from(`${text}\n`)].flatMap((byte) => decoder.decode(Buffer.of(byte)))
  expect(lines).toEqual([text])
})

test('a line that does not end is given up', () => {
  const decoder = new LineDecoder(1_000)
  const feed = () => {
    for (let count = 0; count < 11; count++) decoder.decode(Buffer.from('x'.repeat(100)))
  }
  expect(feed).toThrow(RangeError)
})
