import fc from 'fast-check'
import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { openCounts, openDurations } from '../../src/telemetry/quick-metrics.ts'

const buckets = [0.005, 0.1, 1, 2.5]
const label = fc.constantFrom('a', 'b', 'with "quotes"', 'two\nlines', '')

test('what is counted and timed is told as the library itself would tell it', async () => {
  const observed = fc.record({
    tactic: label,
    state: label,
    seconds: fc.oneof(fc.constantFrom(...buckets), fc.double({ min: 0, max: 5, noNaN: true })),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(observed, { maxLength: 30 }), async (all) => {
      const named = { help: 'One "line"\nor two.', labelNames: ['tactic', 'state'] }
      const [ours, theirs] = [new Registry(), new Registry()]
      const counts = openCounts(ours, { ...named, name: 'calls_total' })
      const durations = openDurations(ours, { ...named, name: 'call_seconds', buckets })
      const counter = new Counter({ ...named, name: 'calls_total', registers: [theirs] })
      const histogram = new Histogram({ ...named, name: 'call_seconds', buckets, registers: [theirs] })
      for (const { tactic, state, seconds } of all) {
        counts.of(tactic, state).count++
        durations.of(tactic, state).observe(seconds)
        counter.inc({ tactic, state })
        histogram.observe({ tactic, state }, seconds)
      }
      expect(await ours.metrics()).toBe(await theirs.metrics())
      // Reading changes nothing.
      expect(await ours.metrics()).toBe(await theirs.metrics())
    }),
  )
})
