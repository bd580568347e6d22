import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PaceWindow } from '../../src/invokers/pace-window.ts'

const startMs = Date.UTC(2026, 0, 1)

interface Use {
  readonly atMs: number
  readonly amount: number
}

/** Uses one amount after the other, each as early as it may be, after a pause. */
function useUp(limit: number, wanted: readonly { readonly pauseMs: number; readonly amount: number }[]): Use[] {
  const window = new PaceWindow(limit)
  let nowMs = startMs
  return wanted.map(({ pauseMs, amount }) => {
    nowMs += pauseMs
    nowMs += window.waitMs(amount, nowMs)
    expect(window.waitMs(amount, nowMs)).toBe(0)
    window.take(amount, nowMs)
    return { atMs: nowMs, amount }
  })
}

const wanted = fc.array(fc.record({ pauseMs: fc.nat(30_000), amount: fc.integer({ min: 1, max: 60 }) }), {
  maxLength: 60,
})

test('in no 60 seconds is more used than the limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 200 }), wanted, (limit, amounts) => {
      const uses = useUp(limit, amounts)
      for (const { atMs: fromMs } of uses) {
        const within = uses.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 60_000)
        expect(within.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(limit)
      }
    }),
  )
})

test('nobody waits for longer than 61 seconds, however much is wanted', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), wanted, (limit, amounts) => {
      const uses = useUp(limit, amounts)
      for (const [index, { atMs }] of uses.entries()) {
        const earliestMs = (uses[index - 1]?.atMs ?? startMs) + (amounts[index]?.pauseMs ?? 0)
        expect(atMs - earliestMs).toBeLessThanOrEqual(61_000)
      }
    }),
  )
})

test('a correction counts for as long as what it corrects', () => {
  const window = new PaceWindow(100)
  const cell = window.take(90, startMs)
  expect(window.waitMs(50, startMs)).toBe(61_000)
  window.correct(cell, -60, startMs + 10_000)
  expect(window.waitMs(50, startMs + 10_000)).toBe(0)
  window.correct(cell, +40, startMs + 20_000)
  expect(window.waitMs(50, startMs + 20_000)).toBe(41_000)
  window.correct(cell, +40, startMs + 70_000)
  expect(window.waitMs(100, startMs + 70_000)).toBe(0)
})

test('a clock that is set back takes nothing away', () => {
  const window = new PaceWindow(2)
  window.take(2, startMs)
  expect(window.waitMs(1, startMs - 30_000)).toBeGreaterThan(60_000)
  expect(window.waitMs(1, startMs + 61_000)).toBe(0)
})
