import type { World } from './domain/clock.ts'
import type { Redactor } from './domain/redact.ts'
import { redactedTracing } from './domain/redacted-tracing.ts'
import type { SharedRates } from './domain/shared-rates.ts'
import { createEngine } from './engine/create-engine.ts'
import { type KeeperEvent, keepSessions } from './engine/session-keeper.ts'
import { openStandingBudgets } from './engine/standing-budgets.ts'
import { lazyRemotes } from './lazy-remotes.ts'
import { loadHouse } from './load-house.ts'
import { openAuth } from './open-auth.ts'
import { openCleaner } from './open-cleaner.ts'
import { countingListeners, openMetrics } from './open-metrics.ts'
import { openRedactor } from './open-redactor.ts'
import { openRuns } from './open-runs.ts'
import { openSchedules } from './open-schedules.ts'
import { openTracing } from './open-tracing.ts'
import { openWebhooks } from './open-webhooks.ts'
import { findUnknownTactics, openPriceBook, readBudgetsFile } from './operator-files.ts'
import { imageJudge } from './outbound-rules.ts'
import type { CleanerEvent } from './runs/cleaner.ts'
import type { DispatcherEvent } from './runs/dispatcher.ts'
import type { ScheduleEvent } from './runs/schedules.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import type { Settings } from './settings.ts'
import { openSessionStore } from './stores/open-session-store.ts'
import type { TraceEvent } from './telemetry/trace-exporter.ts'
import type { WebhookEvent } from './webhooks/webhook-sender.ts'

export interface AssembleOptions {
  /** Where the search for a manifest begins. */
  readonly folder: string
  readonly world: World
  /** Takes secrets out of what is kept. Left out: it is made from the settings. */
  readonly redactor?: Redactor
  readonly onKeeperEvent: (event: KeeperEvent) => void
  /** Is told of the runs that this process works on. */
  readonly onRunEvent?: (event: DispatcherEvent) => void
  /** Is told of the ticks of schedules at which this process works. */
  readonly onScheduleEvent?: (event: ScheduleEvent) => void
  /** Is told of the webhooks that this process sends. */
  readonly onWebhookEvent?: (event: WebhookEvent) => void
  /** Is told when traces are not taken any more, and when they are again. */
  readonly onTraceEvent?: (event: TraceEvent) => void
  /** Is told of what this process removes because it is old. */
  readonly onCleanerEvent?: (event: CleanerEvent) => void
}

/**
 * Puts a runtime together: settings → packages, invokers, store → engine. Whatever was opened is closed again on failure.
 *
 * @throws LllmError that says which file or setting has a mistake, and what would be right.
 */
export async function assemble(settings: Settings, options: AssembleOptions): Promise<Runtime> {
  const { folder, world } = options
  const opening = openSessionStore(settings.database, { migrates: settings.migrate === 'boot' })
  // By the time of the first request to a model, the store is open.
  let sharedRates: SharedRates | undefined
  const loading = loadHouse(settings, { folder, clock: world.clock, sharedRates: () => sharedRates })
  const tracing = openTracing(settings, options.onTraceEvent ?? (() => {}))
  try {
    const [prices, house, opened, desk, redactor] = await Promise.all([
      openPriceBook(settings),
      loading,
      opening,
      openMetrics(settings),
      options.redactor ?? openRedactor(settings),
      tracing,
    ])
    const store = desk?.time(opened) ?? opened
    const observe = desk?.metrics.observe
    const listeners = countingListeners(options, observe)
    sharedRates = store.rates
    const limits = await readBudgetsFile(settings)
    const budgets = await openStandingBudgets(limits, store.budgets, world.clock)
    // It has no socket before the first call.
    const remotes = lazyRemotes(settings)
    const keeper = keepSessions(store, listeners.onKeeperEvent)
    const judgeImageUrl = imageJudge(settings)
    const content = { most: settings.storeContent, redactor }
    const told = redactedTracing(await tracing, redactor, settings.storeContent !== 'none')
    const watchers = { tracing: told, ...(observe === undefined ? {} : { observe }) }
    const { toolSource } = house
    const engineParts = { world, prices, toolSource, remotes, content, judgeImageUrl, budgets, ...watchers }
    const engine = createEngine(house.tactics, engineParts, keeper, house.aliases)
    const authenticator = await openAuth(settings, store.keys, world.clock)
    const webhooks = await openWebhooks(settings, store.webhooks, { world, ...listeners })
    const judgeWebhook = (url: string) => webhooks.judge(url)
    const schedules = await openSchedules(settings, store.runs, { engine, judgeWebhook }, { world, ...listeners })
    const besides = [...webhooks.work, schedules, openCleaner(settings, store, { world, ...listeners })]
    const runs = openRuns(settings, store.runs, engine, {
      world,
      keys: authenticator,
      ...listeners,
      judgeWebhook,
      besides,
    })
    desk?.watch({ invokers: house.invokers, keeper, runs })
    return createRuntime({
      settings,
      house,
      engine,
      runs,
      schedules,
      metrics: desk?.metrics,
      webhooks: store.webhooks,
      judgeWebhook,
      engineParts,
      store,
      idempotency: store.idempotency,
      authenticator,
      redactor,
      rates: store.rates,
      keeper,
      warnings: [...settings.warnings, ...house.warnings, ...findUnknownTactics(limits, house.tactics)],
    })
  } catch (error) {
    // Also what is still being opened while something else has failed.
    const opened: readonly Promise<{ close(): Promise<void> }>[] = [opening, loading, tracing]
    await Promise.allSettled(opened.map(async (part) => (await part).close()))
    throw error
  }
}
