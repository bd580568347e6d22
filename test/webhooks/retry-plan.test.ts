import { expect, test } from 'vitest'
import { planNext, readRetryAfter, triesMax } from '../../src/webhooks/retry-plan.ts'

const answered = (status: number) => ({ status, fault: null })
const silent = { status: null, fault: 'timeout' } as const

test('what was taken is delivered, and any other answer is tried again', () => {
  for (const status of [200, 201, 204, 299]) expect(planNext(answered(status), 0, 0)).toEqual({ kind: 'delivered' })
  for (const status of [301, 302, 400, 404, 429, 500, 503]) {
    expect(planNext(answered(status), 0, 0)).toEqual({ kind: 'retry', afterMs: 5_000 })
  }
})

test('waits grow to a day, and then nobody tries any more', () => {
  const steps = Array.from({ length: triesMax }, (_, tries) => planNext(silent, tries, 0))
  const waits = steps.map((step) => (step.kind === 'retry' ? step.afterMs / 1_000 : step.kind))
  expect(waits).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 'failed'])
})

test('what failed together comes back one after another', () => {
  expect(planNext(silent, 1, 0.5)).toEqual({ kind: 'retry', afterMs: 330_000 })
  expect(planNext(silent, 1, 0.999)).toEqual({ kind: 'retry', afterMs: 359_940 })
})

test('a receiver that is gone is left alone', () => {
  expect(planNext(answered(410), 0, 0)).toEqual({ kind: 'failed' })
})

test('a receiver may ask for more time, up to a day, and not for less', () => {
  expect(planNext(answered(429), 0, 0, 60_000)).toEqual({ kind: 'retry', afterMs: 60_000 })
  expect(planNext(answered(503), 1, 0, 1_000)).toEqual({ kind: 'retry', afterMs: 300_000 })
  expect(planNext(answered(429), 0, 0, 10 ** 12)).toEqual({ kind: 'retry', afterMs: 86_400_000 })
})

test('what an ending process has interrupted is tried by the next one at once', () => {
  expect(planNext({ status: null, fault: 'interrupted' }, 0, 0.9)).toEqual({ kind: 'retry', afterMs: 0 })
})

test('Retry-After is read as seconds and as a date', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  expect(readRetryAfter('120', nowMs)).toBe(120_000)
  expect(readRetryAfter('Thu, 01 Jan 2026 00:01:00 GMT', nowMs)).toBe(60_000)
  expect(readRetryAfter('Wed, 31 Dec 2025 00:00:00 GMT', nowMs)).toBe(0)
  for (const value of [undefined, 'soon', '-5', '']) expect(readRetryAfter(value, nowMs)).toBeUndefined()
})
