import type { AssembleOptions } from './assemble.ts'
import type { InvokerPool } from './domain/invoker-pool.ts'
import type { Metrics } from './domain/metrics.ts'
import type { Observe } from './domain/observation.ts'
import type { SessionKeeper } from './engine/session-keeper.ts'
import type { Runs } from './runs/runs.ts'
import type { Settings } from './settings.ts'
import { version } from './version.ts'

/** What is counted, put into its places. */
export interface MetricsDesk {
  readonly metrics: Metrics
  /** The same store, of which everything that it is asked is timed. */
  time<Store extends object>(store: Store): Store
  /** Says what is looked at when somebody reads the figures. */
  watch(sources: MetricsPlaces): void
}

interface MetricsPlaces {
  readonly invokers: InvokerPool
  readonly keeper: Pick<SessionKeeper, 'waitingCount'>
  readonly runs: Pick<Runs, 'health'>
}

/** Loads what counts, where anything is to be counted. */
export async function openMetrics({ metrics: wanted }: Pick<Settings, 'metrics'>): Promise<MetricsDesk | undefined> {
  if (wanted === 'off') return undefined
  const [{ createMetrics }, { timeStore }] = await Promise.all([
    import('./telemetry/create-metrics.ts'),
    import('./telemetry/time-store.ts'),
  ])
  const metrics = createMetrics({ version })
  return {
    metrics,
    time: (store) => timeStore(store, metrics.observe, 'sessions'),
    watch({ invokers, keeper, runs }) {
      metrics.watch({
        now: Date.now,
        unsavedSessions: () => keeper.waitingCount,
        models: () =>
          invokers.all().flatMap(({ name: invoker, loads }) => (loads?.() ?? []).map((load) => ({ invoker, ...load }))),
        runs: () => runs.health(),
      })
    },
  }
}

type Listeners = Pick<AssembleOptions, 'onKeeperEvent' | 'onRunEvent' | 'onWebhookEvent'>

/** The same listeners, before whom everything that they hear of is counted. */
export function countingListeners(listeners: Listeners, observe: Observe | undefined): Listeners {
  if (observe === undefined) return listeners
  return {
    onKeeperEvent(event) {
      const { type } = event
      if (type !== 'session.saved-late') observe({ type })
      listeners.onKeeperEvent(event)
    },
    onRunEvent(event) {
      if (event.type === 'run.started') observe({ type: 'run.started' })
      if (event.type === 'run.ended') observe({ type: 'run.ended', how: event.how })
      listeners.onRunEvent?.(event)
    },
    onWebhookEvent(event) {
      if (event.type === 'webhook.attempted') observe({ type: 'webhook.attempted', step: event.step })
      listeners.onWebhookEvent?.(event)
    },
  }
}
