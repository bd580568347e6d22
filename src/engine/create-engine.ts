import { LllmError, listKnown } from '../domain/errors.ts'
import { toPicoUsd } from '../domain/limits.ts'
import { openStopScope } from '../domain/stop.ts'
import { runBatch } from './batch.ts'
import type { BoundConfig, BoundTactic, CallOptions, Engine, Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import { type ExecuteOptions, execute } from './execute.ts'
import { Meter } from './meter.ts'
import { prepareCall } from './prepare.ts'
import type { SessionKeeper } from './session-keeper.ts'

/** Makes the engine that every door calls: HTTP, the command line, a batch, one's own code. */
export function createEngine(
  tactics: readonly BoundTactic[],
  parts: EngineParts,
  keeper: Pick<SessionKeeper, 'keep' | 'waitingCount'>,
): Engine {
  const byName = indexByName(tactics)

  async function executeAndKeep(call: PreparedCall, options?: ExecuteOptions): Promise<Outcome> {
    const outcome = await execute(parts, call, options)
    await keeper.keep(outcome.session)
    return outcome
  }

  return {
    tactics: [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1)),
    get unsavedSessions() {
      return keeper.waitingCount
    },
    budgets: () => parts.budgets?.statuses() ?? [],
    find(name) {
      const tactic = byName.get(name)
      if (tactic !== undefined) return tactic
      const known = [...byName.keys()].sort()
      throw new LllmError('unknown-tactic', `There is no tactic "${name}". ${listKnown(name, known)}`, { known })
    },
    prepare: async (tactic, task, configName) => prepareCall(tactic, findConfig(tactic, configName), task),
    execute: (call, options?: CallOptions) => executeAndKeep(call, options),
    async *batch(calls, { maxWorkers, failFast, signal, timeoutMs, budgetUsd, ...options } = {}) {
      const scope = openStopScope(signal === undefined ? [] : [signal], timeoutMs)
      const deadlineAtMs = parts.world.clock.now() + (timeoutMs ?? Infinity)
      const limits = budgetUsd === undefined ? {} : { budgetPicoUsd: toPicoUsd(budgetUsd) }
      const meter = new Meter({ name: 'the batch', limits })
      const underWay = new Set<Promise<Outcome>>()
      const run = (call: PreparedCall) => {
        const outcome = executeAndKeep(call, { ...options, signal: scope.signal, deadlineAtMs, meter })
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

/** @throws LllmError `invalid-tactic` when two tactics answer to one name. */
function indexByName(tactics: readonly BoundTactic[]): ReadonlyMap<string, BoundTactic> {
  const byName = new Map<string, BoundTactic>()
  for (const tactic of tactics) {
    const other = byName.get(tactic.name)
    if (other !== undefined) {
      const message = `${tactic.file}: the name "${tactic.name}" is taken by the tactic of ${other.file}.`
      throw new LllmError('invalid-tactic', message, { file: tactic.file })
    }
    byName.set(tactic.name, tactic)
  }
  return byName
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
