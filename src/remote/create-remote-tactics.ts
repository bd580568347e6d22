import type { SessionAnswer } from '../client/answers.ts'
import { type Client, createClient } from '../client/create-client.ts'
import { LllmFault } from '../client/fault.ts'
import { LllmProblem } from '../client/problem.ts'
import type { Cost } from '../domain/cost.ts'
import { costUsd, noCost } from '../domain/cost.ts'
import { isLllmError, LllmError } from '../domain/errors.ts'
import { type Limits, toUsdAtMost } from '../domain/limits.ts'
import type { RemoteOutcome, RemoteRequest, RemoteTactics, RemoteTarget } from '../domain/remote.ts'
import { type Session, sessionIdPattern } from '../domain/session.ts'
import { createGuardedFetch } from '../outbound/guarded-fetch.ts'
import { judgeAddress, type OutboundRules } from '../outbound/judge-address.ts'
import { readSession } from './read-session.ts'
import { costOfFault, costOfProblem, unknownCost } from './remote-cost.ts'
import { faultError, problemError, say, unfitError } from './remote-error.ts'

/** The answer to one call: its result and its whole session. */
const answerBytesMax = 32 * 1024 * 1024
/** How long the session of a failed call is waited for. */
const sessionMaxMs = 5_000
/** Sockets to one service. Calls beyond that wait for a free one. */
const socketsMax = 256
const connectTimeoutMs = 10_000
/** No call takes longer, whoever forgot to give it a deadline. */
const answerMaxMs = 86_400_000
/** A service is given a little less time than there is, so that what it says of its end, and of its cost, still arrives. */
const reportMs = { most: 1_000, share: 0.1 } as const

export interface RemoteParts {
  /** The operator's key of a name, or undefined where there is none. */
  readonly keyOf: (name: string) => string | undefined
  /** Where they may be. */
  readonly rules: OutboundRules
}

/** Makes what calls other services: over HTTP, on sockets of its own. */
export function createRemoteTactics({ keyOf, rules }: RemoteParts): RemoteTactics {
  // Aborting closes the socket: that is what tells the service to stop.
  const { fetch, close } = createGuardedFetch(rules, { connections: socketsMax, connectTimeoutMs, answerMaxMs })

  async function call(request: RemoteRequest): Promise<RemoteOutcome> {
    const { target, signal, trace } = request
    if (signal.aborted) return failed(new LllmError('cancelled', say(target.tactic, 'It was not called.')), noCost)
    if (!isJson(request.task))
      return failed(new LllmError('invalid-task', say(target.tactic, 'The task cannot be written as JSON.')), noCost)
    const refusal = judgeAddress(new URL(target.url), rules)
    if (refusal !== undefined)
      return failed(new LllmError('remote-failed', say(target.tactic, refusedAs(refusal))), noCost)
    let client: Client
    try {
      client = createClient({
        url: target.url,
        headers: { ...trace, ...headersOf(target, keyOf) },
        fetch,
        answerBytesMax,
      })
    } catch (error) {
      return failed(headerError(target, error), noCost)
    }
    try {
      return readAnswer(target, await ask(client, request))
    } catch (error) {
      return whyFailed(client, request, error)
    }
  }

  return { call, close }
}

/** Asks once; and once more where the service allows less time than there is, which it says before anything begins. */
async function ask(client: Client, { target, task, limits, signal }: RemoteRequest): Promise<SessionAnswer<unknown>> {
  const tactic = client.tactic(target.tactic)
  const options = { ...toOptions(target, limits), signal }
  const timeoutMs = limits.timeoutMs === undefined ? undefined : toldTime(limits.timeoutMs)
  if (timeoutMs === undefined) return tactic.session(task, options)
  try {
    return await tactic.session(task, { ...options, timeoutMs })
  } catch (error) {
    if (!isAboutTime(error)) throw error
    return tactic.session(task, options)
  }
}

function refusedAs(refusal: string): string {
  return `Its address ${refusal}, unless LLLM_OUTBOUND_ALLOW names it.`
}

function isJson(task: unknown): boolean {
  try {
    return JSON.stringify(task) !== undefined
  } catch {
    return false
  }
}

function toldTime(leftMs: number): number {
  return Math.max(1, Math.floor(leftMs - Math.min(reportMs.most, leftMs * reportMs.share)))
}

function isAboutTime(error: unknown): boolean {
  if (!(error instanceof LllmProblem) || error.code !== 'invalid-request' || error.sessionId !== undefined) return false
  return error.errors.length > 0 && error.errors.every(({ pointer }) => pointer === '/timeout_ms')
}

function toOptions({ config }: RemoteTarget, { budgetPicoUsd, tokens, llmCalls, depth }: Limits) {
  const limits = {
    ...(tokens === undefined ? {} : { tokens }),
    ...(llmCalls === undefined ? {} : { llmCalls }),
    ...(depth === undefined ? {} : { depth }),
  }
  return {
    ...(config === undefined ? {} : { config }),
    ...(budgetPicoUsd === undefined ? {} : { budgetUsd: toUsdAtMost(budgetPicoUsd) }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  }
}

function headersOf({ apiKeyName, headers }: RemoteTarget, keyOf: RemoteParts['keyOf']) {
  if (apiKeyName === undefined) return headers()
  const key = keyOf(apiKeyName)
  if (key !== undefined) return { ...headers(), authorization: `Bearer ${key}` }
  const variable = `LLLM_API_KEY_${apiKeyName.toUpperCase().replaceAll('-', '_')}`
  throw new LllmError('invalid-settings', `The key "${apiKeyName}" is not there: set ${variable}.`)
}

/** The function that gives headers is the author's: its exception may hold what is secret, so not even the log gets it. */
function headerError({ tactic }: RemoteTarget, error: unknown): LllmError {
  if (isLllmError(error)) return new LllmError(error.code, say(tactic, error.message))
  return new LllmError(
    'remote-failed',
    say(tactic, 'Its headers could not be made, or have characters that none may have.'),
  )
}

function readAnswer({ tactic }: RemoteTarget, answer: SessionAnswer<unknown>): RemoteOutcome {
  const sessionId = String(answer.session_id)
  try {
    const session = readSession(answer.session, sessionId)
    if (session.state !== 'success') throw new RangeError('It has not succeeded, while the call has.')
    if (costUsd(session.cost) !== answer.cost_usd) throw new RangeError('It cost something else than the call.')
    return { ok: true, result: answer.result, session }
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : 'It cannot be read.'
    return failed(unfitError(tactic, reason), unknownCost, sessionId)
  }
}

async function whyFailed(client: Client, { target, signal }: RemoteRequest, error: unknown): Promise<RemoteOutcome> {
  const { tactic } = target
  if (error instanceof LllmFault) return failed(faultError(tactic, error), costOfFault(error))
  if (!(error instanceof LllmProblem)) {
    // The signal's reason: what the call has cost until now, nobody will tell.
    return failed(new LllmError('cancelled', say(tactic, 'The call was given up.')), unknownCost)
  }
  const session = await findSession(client, error, signal)
  if (session === null) return failed(problemError(tactic, error), costOfProblem(error), error.sessionId)
  return { ok: false, error: problemError(tactic, error), session, sessionId: session.id, cost: session.cost }
}

/** The session of a call that failed, as far as it can be had and holds. */
async function findSession(client: Client, problem: LllmProblem, signal: AbortSignal): Promise<Session | null> {
  const { sessionId } = problem
  if (sessionId === undefined || !sessionIdPattern.test(sessionId)) return null
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(sessionMaxMs)])
    const session = readSession(await client.sessions.get(sessionId, { signal: within }), sessionId)
    const holds = session.state !== 'success' && costUsd(session.cost) === problem.costUsd
    return holds ? session : null
  } catch {
    // It is recorded by what the problem tells, and its cost as one that is not known.
    return null
  }
}

function failed(error: LllmError, cost: Cost, sessionId?: string): RemoteOutcome {
  const isSound = sessionId !== undefined && sessionIdPattern.test(sessionId)
  return { ok: false, error, session: null, sessionId: isSound ? sessionId : null, cost }
}
