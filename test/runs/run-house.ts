import { onTestFinished } from 'vitest'
import type { KeyJudge } from '../../src/domain/authenticator.ts'
import type { Observe } from '../../src/domain/observation.ts'
import type { RemoteTactics } from '../../src/domain/remote.ts'
import type { RunStore } from '../../src/domain/run-store.ts'
import type { SessionStore } from '../../src/domain/session-store.ts'
import type { TacticClass } from '../../src/domain/tactic.ts'
import type { Tracing } from '../../src/domain/tracing.ts'
import { createBinder } from '../../src/engine/bind.ts'
import type { ContentPolicy } from '../../src/engine/content-keeper.ts'
import { createEngine } from '../../src/engine/create-engine.ts'
import { openRuns } from '../../src/open-runs.ts'
import type { RunOptions } from '../../src/runs/runs.ts'
import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { systemWorld } from '../../src/system-world.ts'
import { type Answer, type Script, says, scriptedModel } from '../../src/testing/scripted-model.ts'
import { describePackage, type TestPackageSpec } from '../../src/testing/test-package.ts'
import { flatPrices, poolOf, toolSourceOf } from '../../src/testing/test-world.ts'

export interface RunHouseSpec {
  /** The first is the one that `submit` means. */
  readonly tactics: readonly [TacticClass, ...TacticClass[]]
  readonly model: Script
  /** Of a process that comes after another: what that one has left. */
  readonly left?: { readonly runStore: RunStore; readonly store: SessionStore }
  readonly attemptsMax?: number
  readonly queuedRunsMax?: number
  /** What became of the keys of runs. Left out: all of them hold. */
  readonly refusalOf?: KeyJudge['refusalOf']
  readonly tracing?: Tracing
  readonly observe?: Observe
  /** What is in the place of other services. */
  readonly remotes?: RemoteTactics
  /** Left out: they are made for the tactics. */
  readonly configs?: TestPackageSpec['configs']
  /** What may be kept of calls. */
  readonly content?: ContentPolicy
}

/** A process that works on runs, around a scripted model. Time is real; nobody waits where nothing is to be waited for. */
export async function runHouse(spec: RunHouseSpec) {
  const { tactics, model: script, left, attemptsMax = 5, configs, content, tracing, observe, remotes } = spec
  const model = scriptedModel(script, 'test')
  const world = { ...systemWorld, clock: { ...systemWorld.clock, random: () => 0 } }
  const store = left?.store ?? createMemorySessionStore()
  const runStore = left?.runStore ?? createMemoryRuns(store).runs
  const source = describePackage({ tactics, ...(configs === undefined ? {} : { configs }) }, 'house')
  const toolSource = toolSourceOf({})
  const binder = createBinder({ root: source, all: [source] }, { invokers: poolOf(model.invoker, []), toolSource })
  const keeper = { waitingCount: 0, keep: async () => {} }
  const watchers = {
    ...(tracing && { tracing }),
    ...(observe && { observe }),
    ...(content && { content }),
    ...(remotes && { remotes }),
  }
  const parts = { world, prices: flatPrices(), toolSource, ...watchers }
  const engine = createEngine(binder.bindAll(), parts, keeper)
  const settings = {
    role: 'all',
    runWorkers: 10,
    runConcurrency: 10,
    runTimeoutMs: 60_000,
    runAttemptsMax: attemptsMax,
    queuedRunsMax: spec.queuedRunsMax ?? 1_000,
  } as const
  const runs = openRuns(settings, runStore, engine, {
    world,
    keys: { refusalOf: spec.refusalOf ?? (async () => undefined) },
  })
  await runs.start()
  onTestFinished(() => runs.drain(0))
  const name = tactics[0].spec.name ?? ''
  const submit = async (task: unknown, options?: RunOptions) =>
    runs.submit(await engine.prepare(engine.find(name), task), options)
  return { runs, submit, engine, model, store, runStore }
}

/** A model that answers the last text of each request, and for ever waits where there is no answer. */
export function answering(reply: (text: string) => string | Promise<never>, onWait = () => {}): Answer {
  return async (request, signal) => {
    const text = reply(String(request.messages.at(-1)?.content))
    if (typeof text === 'string') return says(text)(request, signal)
    onWait()
    return new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
}

/** What is answered to something that should still be under way when the process ends. */
export const nothingYet: Promise<never> = new Promise(() => {})
