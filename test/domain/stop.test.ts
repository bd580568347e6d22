import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { endReasonOf, openStopScope, Stopped, stopError } from '../../src/domain/stop.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a scope stops with the first of its parents, for its reason', () => {
  const [left, right] = [new AbortController(), new AbortController()]
  const { signal } = openStopScope([left.signal, right.signal])
  right.abort(new Stopped('shutdown'))
  left.abort(new Stopped('client-closed'))
  expect(endReasonOf(signal)).toBe('shutdown')
})

test('a scope of a parent that has stopped already is stopped', () => {
  expect(openStopScope([AbortSignal.abort(new Stopped('deadline'))]).signal.aborted).toBe(true)
})

test('a scope stops after its time, as a deadline', () => {
  const { signal } = openStopScope([], 1_000)
  vi.advanceTimersByTime(999)
  expect(signal.aborted).toBe(false)
  vi.advanceTimersByTime(1)
  expect(endReasonOf(signal)).toBe('deadline')
})

test('a time that no timer can hold does not run out at once', () => {
  const { signal } = openStopScope([], 2 ** 40)
  vi.advanceTimersByTime(1_000)
  expect(signal.aborted).toBe(false)
})

test('a scope that is disposed of holds on to nothing and no longer stops', () => {
  const parent = new AbortController()
  const scope = openStopScope([parent.signal], 1_000)
  scope.dispose()
  expect(getEventListeners(parent.signal, 'abort')).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
  parent.abort()
  expect(scope.signal.aborted).toBe(false)
})

test.each([
  ['a reason of ours', new Stopped('client-closed'), 'client-closed', 'client-closed-request'],
  ['an AbortSignal.timeout', new DOMException('x', 'TimeoutError'), 'deadline', 'deadline-exceeded'],
  ['anything else', new Error('x'), 'cancelled', 'cancelled'],
  ['a text', 'x', 'cancelled', 'cancelled'],
])('what ended a call is told by the reason of its signal: %s', (_case, reason, endReason, code) => {
  const signal = AbortSignal.abort(reason)
  expect(endReasonOf(signal)).toBe(endReason)
  expect(stopError(signal).code).toBe(code)
})
