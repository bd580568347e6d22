import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CostPart, dayMs, gapsOf, hourMs, partCosts, settleMs, startsOf } from '../../src/stores/cost-spans.ts'

const at = (text: string) => Date.parse(`${text}Z`)
const nowMs = at('2024-05-10T12:34:56')
const firstMs = at('2024-01-01T08:30:00')

function told(parts: readonly CostPart[]) {
  const name = (timeMs: number) => (Number.isFinite(timeMs) ? new Date(timeMs).toISOString().slice(5, 16) : 'ever')
  return parts.map(({ spanMs, fromMs, toMs }) => {
    const kind = spanMs === null ? 'sessions' : spanMs === dayMs ? 'days' : 'hours'
    return `${kind} ${name(fromMs)} ${name(toMs)}`
  })
}

describe('what costs are read from', () => {
  test('whole days, the whole hours around them, and the sessions of what is left', () => {
    const month = { fromMs: at('2024-04-10T12:34:56'), toMs: nowMs }
    expect(told(partCosts(month, firstMs, nowMs))).toEqual([
      'sessions 04-10T12:34 04-10T13:00',
      'hours 04-10T13:00 04-11T00:00',
      'days 04-11T00:00 05-10T00:00',
      'hours 05-10T00:00 05-10T11:00',
      'sessions 05-10T11:00 05-10T12:34',
    ])
  })

  test('all there is begins with the hour of the first session, and has no end', () => {
    const ever = { fromMs: -Infinity, toMs: Infinity }
    expect(told(partCosts(ever, firstMs, nowMs))).toEqual([
      'hours 01-01T08:00 01-02T00:00',
      'days 01-02T00:00 05-10T00:00',
      'hours 05-10T00:00 05-10T11:00',
      'sessions 05-10T11:00 ever',
    ])
  })

  test('what lies within an hour, or has not come yet, is read from sessions', () => {
    const minutes = { fromMs: at('2024-05-01T10:10:00'), toMs: at('2024-05-01T10:50:00') }
    expect(told(partCosts(minutes, firstMs, nowMs))).toEqual(['sessions 05-01T10:10 05-01T10:50'])
    const future = { fromMs: at('2024-06-01T00:00:00'), toMs: at('2024-06-03T00:00:00') }
    expect(told(partCosts(future, firstMs, nowMs))).toEqual(['sessions 06-01T00:00 06-03T00:00'])
  })

  test('a time that ends before it begins has no parts', () => {
    expect(partCosts({ fromMs: nowMs, toMs: firstMs }, firstMs, nowMs)).toEqual([])
  })

  test('whatever the time, the parts follow one another from its start to its end, and hours and days are whole and over', () => {
    const time = fc.integer({ min: firstMs - 5 * dayMs, max: nowMs + 5 * dayMs })
    fc.assert(
      fc.property(time, time, time, (fromMs, toMs, oldestMs) => {
        const parts = partCosts({ fromMs, toMs }, oldestMs, nowMs)
        for (const [index, part] of parts.entries()) {
          expect(part.toMs).toBeGreaterThan(part.fromMs)
          if (index > 0) expect(part.fromMs).toBe(parts[index - 1]?.toMs)
          if (part.spanMs === null) continue
          expect([part.fromMs % part.spanMs, part.toMs % part.spanMs]).toEqual([0, 0])
          expect(part.toMs).toBeLessThanOrEqual(nowMs - settleMs)
        }
        // What is left out is what nobody can have started in.
        if (toMs > Math.max(fromMs, oldestMs)) {
          expect(parts[0]?.fromMs).toBeLessThanOrEqual(Math.max(fromMs, oldestMs))
          expect(parts.at(-1)?.toMs).toBe(toMs)
        }
        expect(parts.length).toBeLessThanOrEqual(5)
      }),
    )
  })

  test('what has not been summed of some hours is told as stretches', () => {
    const hours = { spanMs: hourMs, fromMs: 0, toMs: 6 * hourMs } as const
    expect(startsOf(hours)).toEqual([0, 1, 2, 3, 4, 5].map((hour) => hour * hourMs))
    expect(gapsOf(hours, new Set([2 * hourMs]))).toEqual([
      { fromMs: 0, toMs: 2 * hourMs },
      { fromMs: 3 * hourMs, toMs: 6 * hourMs },
    ])
    expect(gapsOf(hours, new Set(startsOf(hours)))).toEqual([])
  })
})
