import { Gauge, type Registry } from 'prom-client'
import { inTime } from '../domain/in-time.ts'
import type { ModelLoad } from '../domain/invoker.ts'
import { boundLabel, type NameLabel } from './label-names.ts'

/** Nobody who reads the figures waits longer for those of the store. */
const storeMaxMs = 2_000

export interface RunLoad {
  /** Runs that wait, over all processes. */
  readonly queued: number
  /** Runs under way, over all processes. */
  readonly running: number
  /** When the run was due that has been due for longest, in ms since 1970; null: none waits. */
  readonly oldestDueAtMs: number | null
}

/** What is asked for when figures are read. */
export interface MetricSources {
  now(): number
  unsavedSessions(): number
  models(): readonly (ModelLoad & { readonly invoker: string })[]
  /** Rejects when the store fails. */
  runs(): Promise<RunLoad>
}

/** Registers what is not counted but looked at. The function brings it up to date. */
export function watchSources(registry: Registry, nameModel: NameLabel): (sources: MetricSources) => Promise<void> {
  const registers = [registry]
  const nameInvoker = boundLabel()
  const runs = new Gauge({
    name: 'lllm_runs',
    help: 'Runs that wait, and runs under way, over all processes that share the store.',
    labelNames: ['state'],
    registers,
  })
  const oldest = new Gauge({
    name: 'lllm_runs_oldest_queued_seconds',
    help: 'For how long the run has been due that waits longest, over all processes that share the store.',
    labelNames: [],
    registers,
  })
  const unsaved = new Gauge({
    name: 'lllm_sessions_unsaved',
    help: 'Sessions of ended calls that wait for the store to take them.',
    registers,
  })
  const ofModel = (name: string, help: string) => new Gauge({ name, help, labelNames: ['invoker', 'model'], registers })
  const underWay = ofModel('lllm_llm_calls_in_flight', 'Requests to a model under way.')
  const waiting = ofModel('lllm_llm_calls_queued', 'Requests to a model that wait for their turn.')
  const open = ofModel(
    'lllm_provider_circuit_open',
    '1 while nothing is sent to a model, because its provider is down.',
  )

  async function lookAtRuns(sources: MetricSources) {
    const load = await inTime(sources.runs(), storeMaxMs, () => new Error('The store does not answer in time.')).catch(
      () => undefined,
    )
    // What is not known is not told: an old figure would look like a new one.
    runs.reset()
    oldest.remove()
    if (load === undefined) return
    runs.set({ state: 'queued' }, load.queued)
    runs.set({ state: 'running' }, load.running)
    oldest.set(load.oldestDueAtMs === null ? 0 : Math.max(0, sources.now() - load.oldestDueAtMs) / 1_000)
  }

  function lookAtModels(sources: MetricSources) {
    for (const gauge of [underWay, waiting, open]) gauge.reset()
    for (const load of sources.models()) {
      const labels = { invoker: nameInvoker(load.invoker), model: nameModel(load.model) }
      underWay.inc(labels, load.underWay)
      waiting.inc(labels, load.waiting)
      open.inc(labels, load.isResting ? 1 : 0)
    }
  }

  return async (sources) => {
    unsaved.set(sources.unsavedSessions())
    lookAtModels(sources)
    await lookAtRuns(sources)
  }
}
