import { describe, expect, onTestFinished, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { type CleaningProgress, type CleaningStep, cleaningRowsMax, firstIdOf } from '../../src/domain/retention.ts'
import { type CleanerEvent, createCleaner, type KeepTimes } from '../../src/runs/cleaner.ts'
import { settle, virtualClock } from '../support/virtual-clock.ts'

const dayMs = 86_400_000
const minuteMs = 60_000
const nothing: CleaningProgress = { removed: 0, nextId: null }

interface HouseSpec {
  readonly keep?: KeepTimes
  /** What a step comes to. */
  readonly clean?: (step: CleaningStep) => CleaningProgress | 'busy' | Promise<CleaningProgress>
  readonly forget?: (limit: number) => number
}

/** A cleaner whose time stands still, and what it does. */
function cleanerHouse({ keep = {}, clean = () => nothing, forget = () => 0 }: HouseSpec) {
  const time = virtualClock(() => 0.5)
  const steps: (CleaningStep & { readonly atMs: number })[] = []
  const events: CleanerEvent[] = []
  const beganAtMs = time.clock.now()
  const store = {
    async clean(step: CleaningStep) {
      steps.push({ ...step, atMs: time.clock.now() - beganAtMs })
      return clean(step)
    },
  }
  const idempotency = { forget: async (limit: number) => forget(limit) }
  const cleaner = createCleaner({ store, idempotency, clock: time.clock, keep, onEvent: (event) => events.push(event) })
  onTestFinished(() => cleaner.close(0))
  cleaner.start()
  return { ...time, cleaner, steps, events, beganAtMs }
}

describe('a cleaner', () => {
  test('looks soon after the start, and then every few minutes', async () => {
    const { advance, steps } = cleanerHouse({ keep: { eventsMs: dayMs } })
    await advance(5_000)
    expect(steps).toEqual([])
    await advance(10_000)
    expect(steps).toHaveLength(1)
    await advance(minuteMs)
    expect(steps).toHaveLength(1)
    await advance(5 * minuteMs)
    expect(steps).toHaveLength(2)
  })

  test('removes what each setting is about, from so long ago on, and what no setting is about never', async () => {
    const { advance, steps, beganAtMs } = cleanerHouse({
      keep: { sessionsMs: 30 * dayMs, payloadsMs: 7 * dayMs, eventsMs: dayMs },
    })
    await advance(minuteMs)
    const ages = steps.map(({ part, beforeMs }) => [part, Math.round((beganAtMs - beforeMs) / dayMs)])
    expect(ages).toEqual([
      ['runs', 30],
      ['sessions', 30],
      ['batches', 30],
      ['run-texts', 7],
      ['session-texts', 7],
      ['events', 1],
    ])
    const idle = cleanerHouse({})
    await idle.advance(minuteMs)
    expect(idle.steps).toEqual([])
  })

  test('goes on where it was, rests between steps, and tells once what it has removed', async () => {
    let left = 5
    const { advance, steps, events } = cleanerHouse({
      keep: { payloadsMs: dayMs },
      clean: ({ part }) => {
        if (part !== 'session-texts') return nothing
        left -= 1
        return { removed: 40, nextId: left === 0 ? null : firstIdOf(left) }
      },
    })
    await advance(minuteMs)
    const own = steps.filter(({ part }) => part === 'session-texts')
    expect(own.map(({ afterId }) => afterId)).toEqual(['', ...[4, 3, 2, 1].map(firstIdOf)])
    const rests = own.slice(1).map(({ atMs }, index) => atMs - (own[index]?.atMs ?? 0))
    expect(Math.min(...rests)).toBeGreaterThanOrEqual(20)
    expect(events).toEqual([
      { type: 'cleaner.removed', removed: { 'session-texts': 200 }, durationMs: expect.any(Number) },
    ])
  })

  test('takes larger steps while they are quick, up to a bound, and smaller ones when they are slow', async () => {
    const quickSteps = 60
    const { clock, advance, steps } = cleanerHouse({
      keep: { eventsMs: dayMs },
      async clean() {
        if (steps.length > quickSteps) await clock.sleep(100, new AbortController().signal)
        return { removed: 1, nextId: steps.length === 80 ? null : firstIdOf(steps.length) }
      },
    })
    await advance(minuteMs)
    const sizes = steps.map(({ rowsMax }) => rowsMax)
    expect([sizes[0], Math.max(...sizes), sizes.at(-1)]).toEqual([60, cleaningRowsMax, 10])
    const slow = steps.slice(-2).map(({ atMs }) => atMs)
    // So long as it took, and four times as long for the others.
    expect((slow[1] ?? 0) - (slow[0] ?? 0)).toBe(500)
  })

  test('leaves it to another process that is at it', async () => {
    const { advance, steps, events } = cleanerHouse({ keep: { sessionsMs: dayMs }, clean: () => 'busy' })
    await advance(minuteMs)
    expect([steps.length, events]).toEqual([1, []])
    await advance(5 * minuteMs)
    expect(steps).toHaveLength(2)
  })

  test('drops the answers to requests with a key whose time is over, without any setting', async () => {
    let answers = 130
    const { advance, events } = cleanerHouse({
      forget(limit) {
        const forgotten = Math.min(limit, answers)
        answers -= forgotten
        return forgotten
      },
    })
    await advance(minuteMs)
    expect(answers).toBe(0)
    expect(events).toMatchObject([{ type: 'cleaner.removed', removed: { answers: 130 } }])
  })

  test('tells when the store fails, with what was removed until then, and tries again with the next pass', async () => {
    let count = 0
    const error = new LllmError('store-unavailable', 'The store is away.')
    const { advance, steps, events } = cleanerHouse({
      keep: { eventsMs: dayMs },
      async clean() {
        count += 1
        if (count === 2) throw error
        return { removed: 1, nextId: count === 1 ? firstIdOf(1) : null }
      },
    })
    await advance(minuteMs)
    expect(events).toEqual([
      { type: 'cleaner.store-failed', error },
      { type: 'cleaner.removed', removed: { events: 1 }, durationMs: expect.any(Number) },
    ])
    await advance(5 * minuteMs)
    expect(steps.map(({ afterId }) => afterId)).toEqual(['', firstIdOf(1), ''])
  })

  test('ends at once when it is told to: after the step that is under way, and tells what it has removed', async () => {
    const gate = Promise.withResolvers<CleaningProgress>()
    const { advance, cleaner, steps, events, sleeperCount } = cleanerHouse({
      keep: { eventsMs: dayMs },
      clean: () => gate.promise,
    })
    expect(sleeperCount).toBe(1)
    await advance(minuteMs)
    const closed = cleaner.close(0)
    gate.resolve({ removed: 7, nextId: firstIdOf(1) })
    await closed
    await settle()
    expect(steps).toHaveLength(1)
    expect(events).toMatchObject([{ removed: { events: 7 } }])
    await cleaner.close(0)
  })
})
