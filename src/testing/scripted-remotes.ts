import type { World } from '../domain/clock.ts'
import { noCost } from '../domain/cost.ts'
import { isLllmError, LllmError, listKnown } from '../domain/errors.ts'
import type { RemoteOutcome, RemoteRequest, RemoteTactics } from '../domain/remote.ts'
import type { Session } from '../domain/session.ts'
import { untilAborted } from '../domain/until-aborted.ts'

/**
 * What a remote tactic answers, from its task. What it throws ends the call: an LllmError as itself, anything else as
 * `remote-failed`.
 */
export type RemoteAnswer = (task: unknown, signal: AbortSignal) => unknown

/** Answers in the place of other services, none of which is asked. Tasks and results are what JSON makes of them, as on their way. */
export function scriptedRemotes(answers: Readonly<Record<string, RemoteAnswer>>, world: World): RemoteTactics {
  async function call({ target: { tactic }, task, signal }: RemoteRequest): Promise<RemoteOutcome> {
    const startedAtMs = world.clock.now()
    try {
      const answer = Object.hasOwn(answers, tactic) ? answers[tactic] : undefined
      if (answer === undefined) throw missing(tactic, Object.keys(answers))
      // As a socket, it is given up when the call is stopped, whether or not it listens.
      const result = asSent(await untilAborted(async () => answer(asSent(task), signal), signal))
      const session = { ...sessionOf(tactic, world, startedAtMs), task: asSent(task), result }
      return { ok: true, result, session }
    } catch (error) {
      return { ok: false, error: toLllmError(error, tactic), session: null, sessionId: null, cost: noCost }
    }
  }
  return { call, close: async () => {} }
}

function missing(tactic: string, known: readonly string[]): LllmError {
  const what = `testRuntime has nothing in its place, and asks no service: give it remotes: { '${tactic}': (task) => … }.`
  return new LllmError('remote-failed', `The remote tactic "${tactic}": ${what} ${listKnown(tactic, known)}`)
}

function toLllmError(error: unknown, tactic: string): LllmError {
  if (isLllmError(error)) return error
  const message = `The remote tactic "${tactic}": what is in its place threw an exception.`
  return new LllmError('remote-failed', message, {}, { cause: error })
}

/** Nothing becomes null. */
function asSent(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value) ?? 'null')
}

/** What nobody has worked at costs nothing. */
function sessionOf(tactic: string, { clock, newId }: World, startedAtMs: number): Omit<Session, 'task' | 'result'> {
  return {
    id: newId(),
    tactic,
    tacticId: tactic.includes('::') ? tactic : `remote::${tactic}`,
    state: 'success',
    endReason: null,
    startedAtMs,
    endedAtMs: clock.now(),
    error: null,
    tags: {},
    metadata: {},
    config: { name: 'remote', hash: '' },
    simulated: false,
    agentCalls: [],
    subSessions: [],
    cost: noCost,
  }
}
