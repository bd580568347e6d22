import { Gauge, Registry } from 'prom-client'
import type { Metrics } from '../domain/metrics.ts'
import type { Observation, Observed } from '../domain/observation.ts'
import { countCalls } from './call-metrics.ts'
import { boundLabel } from './label-names.ts'
import { countModels } from './model-metrics.ts'
import { type MetricSources, watchSources } from './polled-metrics.ts'
import { measureProcess } from './process-metrics.ts'
import { countRequests } from './request-metrics.ts'
import { countWork } from './work-metrics.ts'

type Counters = {
  readonly [Type in Observation['type']]: (told: Observed<Type>) => void
}

export interface WatchingMetrics extends Metrics {
  /** Says what is looked at, from now on, whenever the figures are read. */
  watch(sources: MetricSources): void
}

/** Counts in a registry of its own, so that several runtimes in one process, and their host, do not mix up their figures. */
export function createMetrics({ version }: { readonly version: string }): WatchingMetrics {
  const registry = new Registry()
  const nameTactic = boundLabel()
  const nameModel = boundLabel()
  const info = new Gauge({
    name: 'lllm_build_info',
    help: '1, with the version of the service.',
    labelNames: ['version'],
    registers: [registry],
  })
  info.set({ version }, 1)
  const lookAt = watchSources(registry, nameModel)
  let sources: MetricSources | undefined
  let ofProcess: Registry | undefined
  let reading: Promise<string> | undefined

  async function readAll(): Promise<string> {
    if (sources !== undefined) await lookAt(sources)
    const texts = await Promise.all([registry.metrics(), ofProcess?.metrics() ?? ''])
    return texts.join('')
  }

  const counters: Counters = {
    'request.ended': countRequests(registry),
    ...countCalls(registry, nameTactic),
    ...countModels(registry, nameTactic, nameModel),
    ...countWork(registry),
  }

  return {
    observe: (observation) => (counters[observation.type] as (told: Observation) => void)(observation),
    mediaType: registry.contentType,
    start() {
      ofProcess ??= measureProcess()
    },
    watch(given) {
      sources = given
    },
    read() {
      reading ??= readAll().finally(() => (reading = undefined))
      return reading
    },
  }
}
