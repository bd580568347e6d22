import { expect, onTestFinished, test, vi } from 'vitest'
import { type Cost, noCost } from '../../src/domain/cost.ts'
import { LllmError } from '../../src/domain/errors.ts'
import type { Observation } from '../../src/domain/observation.ts'
import { createMetrics } from '../../src/telemetry/create-metrics.ts'
import { labelValuesMax } from '../../src/telemetry/label-names.ts'
import { seriesMax } from '../../src/telemetry/model-series.ts'
import type { MetricSources } from '../../src/telemetry/polled-metrics.ts'
import { timeStore } from '../../src/telemetry/time-store.ts'
import { readExposition } from '../support/exposition.ts'
import { range } from '../support/session-stores.ts'

function asked(tactic: string, agent: string, model: string, cost: Partial<Cost> = {}): Observation {
  return {
    type: 'model.asked',
    tactic,
    agent,
    model,
    outcome: 'ok',
    durationMs: 20,
    cost: { ...noCost, pricedCalls: 1, promptPicoUsd: 1, ...cost },
  }
}

async function read(metrics: ReturnType<typeof createMetrics>) {
  return readExposition(await metrics.read())
}

test('money is summed as whole pico-USD, where floating-point numbers would have lost it', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  metrics.observe(asked('essay', 'writer', 'large', { promptPicoUsd: 9e15 }))
  for (const _ of range(100_000)) metrics.observe(asked('essay', 'writer', 'large', { completionPicoUsd: 2 }))
  const [sum] = Object.values((await read(metrics)).valuesOf('lllm_cost_usd_total'))
  expect(sum).toBe(Number(9_000_000_000_000_000n + 300_000n) / 1e12)
  // What has been read once is not read twice.
  expect(Object.values((await read(metrics)).valuesOf('lllm_cost_usd_total'))).toEqual([sum])
})

test('a call of unknown price is counted as such, and not as free', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  metrics.observe(asked('essay', 'writer', 'new', { pricedCalls: 0, unpricedCalls: 1, promptPicoUsd: 0 }))
  const figures = await read(metrics)
  expect(figures.valuesOf('lllm_unpriced_calls_total')).toEqual({ 'essay writer new': 1 })
  expect(figures.valuesOf('lllm_cost_usd_total')).toEqual({ 'essay writer new': 0 })
})

test('names that are made up without end are told together, and none of their figures is lost', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  const names = range(labelValuesMax + 50).map((number) => `name-${number}`)
  for (const name of names) {
    metrics.observe(asked('essay', 'writer', name))
    metrics.observe({ type: 'call.ended', tactic: name, state: 'success', code: null, durationMs: 1 })
    metrics.observe({ type: 'model.retried', tactic: name, agent: name, model: name, reason: 'recall' })
  }
  metrics.observe(asked('x'.repeat(10_000), 'writer', 'name-0'))
  const figures = await read(metrics)
  const calls = figures.valuesOf('lllm_llm_calls_total')
  expect(calls['essay writer other ok']).toBe(50)
  expect(calls['other writer name-0 ok']).toBe(1)
  // One more: "essay" is a tactic as well.
  expect(figures.valuesOf('lllm_calls_total')['other success']).toBe(51)
  expect(figures.valuesOf('lllm_retries_total')['other recall']).toBe(50)
  const { samples } = figures
  for (const label of ['tactic', 'agent', 'model']) {
    expect(new Set(samples.map(({ labels }) => labels[label])).size).toBeLessThanOrEqual(labelValuesMax + 2)
  }
})

test('nor are there more series than are kept, however names are combined', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  for (const tactic of range(40)) {
    for (const model of range(50)) metrics.observe(asked(`tactic-${tactic}`, 'writer', `model-${model}`))
  }
  const calls = (await read(metrics)).valuesOf('lllm_llm_calls_total')
  expect(Object.keys(calls)).toHaveLength(seriesMax + 1)
  expect(calls['other other other ok']).toBe(40 * 50 - seriesMax)
})

test('a code of an error that there is not is none of the figures', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  const ended = { type: 'call.ended', tactic: 'essay', state: 'failure', durationMs: 1 } as const
  metrics.observe({ ...ended, code: 'tactic-failed' })
  metrics.observe({ ...ended, code: 'made up by an author' as 'tactic-failed' })
  const failures = (await read(metrics)).valuesOf('lllm_call_failures_total')
  expect(failures).toEqual({ 'essay tactic-failed': 1, 'essay other': 1 })
})

const sources: MetricSources = {
  now: () => 100_000,
  unsavedSessions: () => 3,
  models: () => [
    { invoker: 'main', model: 'large', underWay: 4, waiting: 2, isResting: false },
    { invoker: 'main', model: 'dead', underWay: 0, waiting: 0, isResting: true },
  ],
  runs: async () => ({ queued: 7, running: 5, oldestDueAtMs: 40_000 }),
}

test('what is only looked at is as it is when somebody reads', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  metrics.watch(sources)
  const figures = await read(metrics)
  expect(figures.valuesOf('lllm_runs')).toEqual({ queued: 7, running: 5 })
  expect(figures.valuesOf('lllm_runs_oldest_queued_seconds')).toEqual({ '': 60 })
  expect(figures.valuesOf('lllm_sessions_unsaved')).toEqual({ '': 3 })
  expect(figures.valuesOf('lllm_llm_calls_in_flight')).toEqual({ 'main large': 4, 'main dead': 0 })
  expect(figures.valuesOf('lllm_llm_calls_queued')).toEqual({ 'main large': 2, 'main dead': 0 })
  expect(figures.valuesOf('lllm_provider_circuit_open')).toEqual({ 'main large': 0, 'main dead': 1 })
  metrics.watch({ ...sources, runs: async () => ({ queued: 0, running: 0, oldestDueAtMs: null }) })
  expect((await read(metrics)).valuesOf('lllm_runs_oldest_queued_seconds')).toEqual({ '': 0 })
})

test('a run that is due later does not wait yet', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  metrics.watch({ ...sources, runs: async () => ({ queued: 1, running: 0, oldestDueAtMs: 900_000 }) })
  expect((await read(metrics)).valuesOf('lllm_runs_oldest_queued_seconds')).toEqual({ '': 0 })
})

test('a store that fails, or does not answer at all, takes its own figures away and no others', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  metrics.watch(sources)
  await metrics.read()
  const failing = async () => Promise.reject(new LllmError('store-unavailable', 'It is away.'))
  metrics.watch({ ...sources, runs: failing })
  const failed = await read(metrics)
  expect(failed.valuesOf('lllm_runs')).toEqual({})
  expect(failed.valuesOf('lllm_runs_oldest_queued_seconds')).toEqual({})
  expect(failed.valuesOf('lllm_sessions_unsaved')).toEqual({ '': 3 })
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  metrics.watch({ ...sources, runs: () => new Promise(() => {}) })
  const reading = metrics.read()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(readExposition(await reading).valuesOf('lllm_runs')).toEqual({})
})

test('those who read at once look once', async () => {
  const metrics = createMetrics({ version: '1.0.0' })
  const runs = vi.fn(sources.runs)
  metrics.watch({ ...sources, runs })
  const pages = await Promise.all(range(20).map(() => metrics.read()))
  expect(new Set(pages).size).toBe(1)
  expect(runs).toHaveBeenCalledOnce()
  await metrics.read()
  expect(runs).toHaveBeenCalledTimes(2)
})

test('two services in one process do not mix up their figures', async () => {
  const [one, other] = [createMetrics({ version: '1.0.0' }), createMetrics({ version: '2.0.0' })]
  one.start()
  other.start()
  one.observe(asked('essay', 'writer', 'large'))
  expect((await read(other)).valuesOf('lllm_llm_calls_total')).toEqual({})
  expect((await read(other)).types.has('nodejs_heap_size_used_bytes')).toBe(true)
})

test('what a store is asked is timed, that of the stores in it, too, and only its failures are errors', async () => {
  const told: Observation[] = []
  class Runs {
    readonly #count = 7
    async claim(slots: number) {
      if (slots === 0) throw new LllmError('store-unavailable', 'It is away.')
      if (slots < 0) throw new LllmError('run-fenced', 'Another has it.')
      return this.#count + slots
    }
    isShared = true
  }
  const store = timeStore(
    {
      kind: 'test',
      runs: new Runs(),
      save: async () => {},
      watch: () => () => {},
      of: (tenant: string) => ({ get: async () => tenant }),
    },
    (observation) => told.push(observation),
    'sessions',
  )
  expect(store.kind).toBe('test')
  expect(store.runs.isShared).toBe(true)
  expect(await store.runs.claim(1)).toBe(8)
  await expect(store.runs.claim(0)).rejects.toMatchObject({ code: 'store-unavailable' })
  await expect(store.runs.claim(-1)).rejects.toMatchObject({ code: 'run-fenced' })
  await store.save()
  store.watch()()
  expect(await store.of('acme').get()).toBe('acme')
  expect(told).toMatchObject([
    { type: 'store.asked', operation: 'runs.claim', outcome: 'ok', durationMs: expect.any(Number) },
    { operation: 'runs.claim', outcome: 'error' },
    { operation: 'runs.claim', outcome: 'ok' },
    { operation: 'sessions.save', outcome: 'ok' },
    { operation: 'sessions.get', outcome: 'ok' },
  ])
})
