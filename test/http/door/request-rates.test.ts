import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createOwnRates, namesMax } from '../../../src/http/door/request-rates.ts'

function openRates() {
  let nowMs = Date.UTC(2026, 0, 1)
  const rates = createOwnRates({ now: () => nowMs })
  return { rates, advance: (durationMs: number) => (nowMs += durationMs) }
}

describe('requests of one name', () => {
  test('are allowed up to the limit, and say what is left', () => {
    const { rates } = openRates()
    const counts = [1, 2, 3, 4].map(() => rates.count('a', 3))
    expect(counts.map(({ allowed, left }) => [allowed, left])).toEqual([
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ])
    expect(rates.count('b', 3)).toMatchObject({ allowed: true, left: 2 })
  })

  test('are allowed again when they were told so, and not before', () => {
    const { rates, advance } = openRates()
    rates.count('a', 2)
    advance(10_000)
    rates.count('a', 2)
    const { allowed, moreMs } = rates.count('a', 2)
    expect(allowed).toBe(false)
    expect(moreMs).toBeGreaterThan(49_000)
    expect(moreMs).toBeLessThanOrEqual(51_000)
    advance(moreMs - 1)
    expect(rates.count('a', 2)).toMatchObject({ allowed: false, moreMs: 1 })
    advance(1)
    expect(rates.count('a', 2)).toMatchObject({ allowed: true, left: 0 })
  })

  test('that are refused do not count', () => {
    const { rates, advance } = openRates()
    rates.count('a', 1)
    for (let second = 0; second < 60; second++) {
      advance(1_000)
      expect(rates.count('a', 1).allowed).toBe(false)
    }
    advance(1_000)
    expect(rates.count('a', 1).allowed).toBe(true)
  })

  test('are never more than the limit in any 60 seconds', () => {
    const pauses = fc.array(fc.oneof(fc.nat(200), fc.nat(20_000)), { maxLength: 200 })
    fc.assert(
      fc.property(pauses, (given) => {
        const { rates, advance } = openRates()
        const allowedAt: number[] = []
        for (const pauseMs of given) {
          const nowMs = advance(pauseMs)
          if (rates.count('a', 5).allowed) allowedAt.push(nowMs)
        }
        for (const [index, atMs] of allowedAt.entries()) {
          expect((allowedAt[index + 5] ?? Number.POSITIVE_INFINITY) - atMs).toBeGreaterThan(60_000 - 1)
        }
      }),
    )
  })
})

test('of more names than are kept, the one that was silent for the longest begins anew', () => {
  const { rates } = openRates()
  rates.count('first', 1)
  rates.count('second', 1)
  for (let index = 0; index < namesMax - 1; index++) rates.count(`name ${index}`, 1)
  expect(rates.count('second', 1).allowed).toBe(false)
  expect(rates.count('first', 1).allowed).toBe(true)
})
