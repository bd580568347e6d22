import { LllmError, listKnown } from '../domain/errors.ts'
import { toPicoUsd } from '../domain/limits.ts'
import { openStopScope } from '../domain/stop.ts'
import { noTracing } from '../domain/tracing.ts'
import { runBatch } from './batch.ts'
import { createContentKeeper } from './content-keeper.ts'
import type { BoundConfig, BoundTactic, Engine, Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import { type ExecuteOptions, execute } from './execute.ts'
import { createFindTactic, inOrderOfAddress } from './find-tactic.ts'
import { Meter } from './meter.ts'
import { observeEnd, observeStart } from './observe-call.ts'
import { prepareCall } from './prepare.ts'
import type { SessionKeeper } from './session-keeper.ts'

/** Makes the engine that every door calls: HTTP, the command line, a batch, one's own code. */
export function createEngine(
  tactics: readonly BoundTactic[],
  parts: EngineParts,
  keeper: Pick<SessionKeeper, 'keep' | 'waitingCount'>,
  /** What the served package calls others: the names of packages by their aliases. */
  aliases: ReadonlyMap<string, string> = new Map(),
): Engine {
  const content = createContentKeeper(parts.content)

  async function executeAndKeep(call: PreparedCall, options?: ExecuteOptions): Promise<Outcome> {
    const startedAtMs = observeStart(parts, call)
    const outcome = await execute(parts, call, options)
    observeEnd(parts, call, options, startedAtMs, outcome)
    const { session, record } = content.session(outcome.session)
    // The session of a run is stored with the end of the run, by whoever works on it.
    if (options?.run === undefined) await keeper.keep(session, record)
    return { ...outcome, session }
  }

  return {
    tactics: inOrderOfAddress(tactics),
    get unsavedSessions() {
      return keeper.waitingCount
    },
    tracing: parts.tracing ?? noTracing,
    content,
    budgets: () => parts.budgets?.statuses() ?? [],
    find: createFindTactic(tactics, aliases),
    prepare: async (tactic, task, configName) => prepareCall(tactic, findConfig(tactic, configName), task),
    execute: (call, options) => executeAndKeep(call, options),
    async *batch(calls, { maxWorkers, failFast, signal, timeoutMs, budgetUsd, ...options } = {}) {
      const scope = openStopScope(signal === undefined ? [] : [signal], timeoutMs)
      const deadlineAtMs = parts.world.clock.now() + (timeoutMs ?? Infinity)
      const limits = budgetUsd === undefined ? {} : { budgetPicoUsd: toPicoUsd(budgetUsd) }
      const meter = new Meter({ name: 'the batch', limits })
      const underWay = new Set<Promise<Outcome>>()
      const run = (call: PreparedCall, batchIndex: number) => {
        const outcome = executeAndKeep(call, { ...options, signal: scope.signal, deadlineAtMs, meter, batchIndex })
        underWay.add(outcome)
        return outcome.finally(() => underWay.delete(outcome))
      }
      try {
        const results = runBatch(calls, run, scope, {
          ...(maxWorkers === undefined ? {} : { maxWorkers }),
          ...(failFast === undefined ? {} : { failFast }),
        })
        for await (const { index, result } of results) yield { index, outcome: result }
      } finally {
        scope.stop('cancelled')
        // Whoever leaves early can rely on this: nothing is paid any more, and all that was is recorded.
        await Promise.allSettled(underWay)
        scope.dispose()
      }
    },
  }
}

/** @throws LllmError `unknown-config`, which lists what is known. */
function findConfig({ name, configs }: BoundTactic, configName?: string): BoundConfig {
  const [defaultConfig] = configs.values()
  const found = configName === undefined ? defaultConfig : configs.get(configName)
  if (found !== undefined) return found
  const known = [...configs.keys()]
  const wanted = configName ?? 'default'
  throw new LllmError('unknown-config', `The tactic "${name}" has no config "${wanted}". ${listKnown(wanted, known)}`, {
    known,
  })
}
