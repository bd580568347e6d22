import { z } from 'zod'
import type { LllmFault } from '../client/fault.ts'
import type { LllmProblem } from '../client/problem.ts'
import { type ErrorCode, type ErrorData, errorCodes, type Issue, LllmError } from '../domain/errors.ts'
import type { LimitExcess } from '../domain/limits.ts'

const detailLengthMax = 1_000
const issuesMax = 20

/**
 * What our own request did wrong, or what only a service of a newer version knows: to whoever called us it is none of theirs, and
 * their own request must not seem to be meant.
 */
const notPassedOn: ReadonlySet<string> = new Set<ErrorCode>([
  'malformed-request',
  'request-timeout',
  'headers-too-large',
  'malformed-json',
  'invalid-parameter',
  'invalid-request',
  'route-not-found',
  'unknown-session',
  'method-not-allowed',
  'not-acceptable',
  'payload-too-large',
  'unsupported-media-type',
  'client-closed-request',
  'rate-limited',
  'skipped',
  'internal-error',
  'remote-failed',
])

/** The error of a remote call that the service refused, or that failed there. */
export function problemError(tactic: string, problem: LllmProblem): LllmError {
  const { code } = problem
  const isPassedOn = Object.hasOwn(errorCodes, code) && !notPassedOn.has(code)
  const told = isPassedOn || code === 'remote-failed' ? '' : `${code.slice(0, 64)}: `
  return new LllmError(isPassedOn ? code : 'remote-failed', say(tactic, told + problem.detail), dataOf(problem))
}

export function faultError(tactic: string, fault: LllmFault): LllmError {
  return new LllmError('remote-failed', say(tactic, fault.message), {}, { cause: fault })
}

/** What a service sent that does not hold. */
export function unfitError(tactic: string, reason: string): LllmError {
  return new LllmError('remote-failed', say(tactic, `Its session cannot be used. ${reason}`))
}

export function say(tactic: string, detail: string): string {
  return `The remote tactic "${tactic}": ${detail.slice(0, detailLengthMax)}`
}

const amount = z.number().min(0)
const limit = z.object({
  name: z.string().max(detailLengthMax),
  unit: z.enum(['usd', 'tokens', 'llm_calls', 'depth']),
})
const figures = { limit: amount, spent: amount, reserved: amount, needed: amount }
const limitExcess: z.ZodType<LimitExcess> = limit.extend(figures).or(limit)
const issue = z.object({ pointer: z.string().max(detailLengthMax), message: z.string().max(detailLengthMax) })

function dataOf({ errors, budget, retryAfterMs }: LllmProblem): ErrorData {
  const issues = z.array(issue).safeParse(Array.isArray(errors) ? errors.slice(0, issuesMax) : [])
  const excess = limitExcess.safeParse(budget)
  return {
    ...(issues.success && issues.data.length > 0 ? { issues: issues.data.map(withinTask) } : {}),
    ...(excess.success ? { budget: excess.data } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** Of a task that does not fit, the service tells places in its body; our caller knows of the task alone. */
function withinTask({ pointer, message }: Issue): Issue {
  return { pointer: pointer.replace(/^\/task(?=\/|$)/, ''), message }
}
