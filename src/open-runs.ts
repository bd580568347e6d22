import type { KeyJudge } from './domain/authenticator.ts'
import type { World } from './domain/clock.ts'
import { LllmError } from './domain/errors.ts'
import type { RunStore } from './domain/run-store.ts'
import type { Engine } from './engine/engine.ts'
import type { BackgroundWork } from './runs/background-work.ts'
import { openChangeHub } from './runs/change-hub.ts'
import { createRuns } from './runs/create-runs.ts'
import { createDispatcher, type DispatcherEvent } from './runs/dispatcher.ts'
import { createRunQueue } from './runs/run-queue.ts'
import type { Runs } from './runs/runs.ts'
import type { Settings } from './settings.ts'

type RunSettings = Pick<
  Settings,
  'role' | 'runWorkers' | 'runConcurrency' | 'runTimeoutMs' | 'runAttemptsMax' | 'queuedRunsMax'
>

/**
 * Puts together what works on runs. Nothing is started before somebody serves.
 *
 * @throws LllmError `invalid-settings` for a role that the database does not allow.
 */
export function openRuns(
  settings: RunSettings,
  store: RunStore,
  engine: Engine,
  {
    world,
    keys,
    onRunEvent = () => {},
    judgeWebhook = () => undefined,
    besides = [],
  }: {
    readonly world: World
    /** What became of the keys of runs. */
    readonly keys: KeyJudge
    readonly onRunEvent?: (event: DispatcherEvent) => void
    readonly judgeWebhook?: (url: string) => string | undefined
    /** What goes on wherever runs are worked on. */
    readonly besides?: readonly BackgroundWork[]
  },
): Runs {
  const { role } = settings
  if (role !== 'all' && !store.isShared) {
    throw new LllmError(
      'invalid-settings',
      `LLLM_ROLE is ${role}, but the database is one that only a single process can work with. Set LLLM_DATABASE to PostgreSQL, or LLLM_ROLE to all.`,
    )
  }
  const hub = openChangeHub(store, world.clock)
  const dispatcher = createDispatcher({
    store,
    engine,
    keys,
    clock: world.clock,
    hub,
    newOwner: world.newId,
    settings: {
      workers: role === 'server' ? 0 : settings.runWorkers,
      concurrencyMax: settings.runConcurrency,
      attemptsMax: settings.runAttemptsMax,
    },
    onEvent: onRunEvent,
  })
  return createRuns({
    store,
    dispatcher,
    hub,
    world,
    queue: createRunQueue(store, world.clock, settings.queuedRunsMax),
    content: engine.content,
    runTimeoutMs: settings.runTimeoutMs,
    judgeWebhook,
    besides: role === 'server' ? [] : besides,
  })
}
