import { isLllmError, LllmError } from '../domain/errors.ts'
import { quietly } from '../domain/quietly.ts'
import { openStopScope, stopError } from '../domain/stop.ts'
import type { BatchOptions, Scope, SubTactic } from '../domain/tactic.ts'
import { tellProgress } from './announce.ts'
import { runBatch } from './batch.ts'
import type { CallParts } from './call-parts.ts'
import type { BoundConfig, BoundTactic, Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import { LiveAgent } from './live-agent.ts'
import { observeSubCall } from './observe-call.ts'
import { prepareCall } from './prepare.ts'
import { type Ended, inOrder, toSettled } from './settled.ts'
import { steadyScope } from './steady-scope.ts'

/** What a call gives to its agents and sub-tactics. */
export interface CrewParts extends CallParts {
  readonly parts: EngineParts
  readonly config: BoundConfig
  executeChild(call: PreparedCall, signal: AbortSignal): Promise<Outcome>
}

/** The agents and sub-tactics of one call. */
export interface Crew {
  readonly scope: Scope
  /** Resolves when none of them is at work any more. Nothing new begins once the signal has aborted. */
  settle(): Promise<void>
}

/**
 * A tactic that was stopped hears of it whenever it begins something new, this often. Then it hears nothing any more: one
 * that swallows errors and tries again for ever would otherwise keep the whole process busy.
 */
const refusalsMax = 100

export function openCrew(crew: CrewParts): Crew {
  const { parts, config, recorder, signal, deadlineAtMs, meter, place, tell, journal, span } = crew
  const atWork = new Set<Promise<unknown>>()
  let refusals = 0

  function begin<Value>(work: () => Promise<Value>): Promise<Value> {
    if (signal.aborted) {
      return ++refusals > refusalsMax ? new Promise<never>(() => {}) : quietly(Promise.reject(stopError(signal)))
    }
    const underWay = work()
    atWork.add(underWay)
    const leave = () => atWork.delete(underWay)
    // What failed is in the session: if the tactic has not come to wait for it yet, that is no affair of the process.
    underWay.then(leave, leave)
    return underWay
  }

  const { world, prices, toolSource, observe, judgeImageUrl } = parts
  const { findPrompt } = config
  const shared = {
    world,
    prices,
    toolSource,
    observe,
    recorder,
    signal,
    deadlineAtMs,
    meter,
    findPrompt,
    begin,
    place,
    tell,
    journal,
    span,
    judgeImageUrl,
  }
  const agents = [...config.agents].map(([name, plan]) => [name, new LiveAgent({ ...shared, plan })] as const)
  const tactics = [...config.subTactics].map(([name, target]) => {
    const run = (task: unknown, within: AbortSignal) => begin(() => callSubTactic(crew, target, task, within))
    return [name, makeSubTactic(run, signal)] as const
  })
  return {
    scope: {
      agents: Object.fromEntries(agents),
      tactics: Object.fromEntries(tactics),
      signal,
      // What is left behind of a tactic that was stopped has nothing to tell of a call that has ended.
      asset: config.findAsset,
      emit: (data) => tellProgress(signal.aborted ? undefined : tell, place, data),
      ...steadyScope(world.clock, signal, journal),
    },
    async settle() {
      while (atWork.size > 0) await Promise.allSettled(atWork)
    },
  }
}

function makeSubTactic(run: (task: unknown, signal: AbortSignal) => Promise<Ended>, signal: AbortSignal): SubTactic {
  function call(task: unknown) {
    const underWay = run(task, signal)
    const output = underWay.then(outputOf)
    const keepQuiet = () => void quietly(output)
    // A task that does not fit is told nowhere else.
    underWay.then((ended) => (ended.ok || ended.session !== null ? keepQuiet() : undefined), keepQuiet)
    return output
  }

  async function batch(tasks: readonly unknown[], options: BatchOptions = {}) {
    const scope = openStopScope([signal])
    try {
      const results = runBatch(tasks, (task) => run(task, scope.signal).catch(toEnded), scope, options)
      const settled = await Array.fromAsync(results, ({ index, result }) => toSettled<unknown>(index, result))
      return inOrder(settled)
    } finally {
      scope.dispose()
    }
  }

  return Object.assign(call, { batch })
}

function outputOf(ended: Ended): unknown {
  if (ended.ok) return ended.output
  throw ended.error
}

/** What was refused because the call had been stopped. */
function toEnded(error: unknown): Ended {
  const known = isLllmError(error)
    ? error
    : new LllmError('internal-error', 'A call failed in a way that it should not.')
  return { ok: false, error: known, session: { state: 'cancelled' } }
}

/** A sub-tactic's session becomes a child whatever happens, before its failure reaches the parent. */
async function callSubTactic(
  { parts, recorder, executeChild }: CrewParts,
  target: { readonly tactic: BoundTactic; readonly config: BoundConfig },
  task: unknown,
  signal: AbortSignal,
): Promise<Ended> {
  const keepSession = recorder.openSubSession()
  try {
    const outcome = await executeChild(await prepareCall(target.tactic, target.config, task), signal)
    keepSession(outcome.session)
    observeSubCall(parts.observe, target.tactic.name, outcome)
    return outcome
  } catch (error) {
    // Only a task that does not fit gets here: an execution never rejects.
    if (!isLllmError(error)) throw error
    return { ok: false, error, session: null }
  }
}
