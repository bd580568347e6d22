import type { ErrorCode, Issue } from '../domain/errors.ts'
import type { LimitExcess } from '../domain/limits.ts'
import type { ProblemRecord } from '../domain/problem-record.ts'

/** The service understood the request and could not do what it asks for, or the call failed. */
export class LllmProblem extends Error {
  /** Stable. A newer service may have codes that this version does not know. */
  readonly code: ErrorCode
  readonly status: number
  readonly title: string
  /** What was wrong here, in words. */
  readonly detail: string
  /** By which the log of the service has it. */
  readonly requestId: string
  /** Whether the same request may succeed later. It is not sent again by itself. */
  readonly retryable: boolean
  /** When it may, in milliseconds from now, where the service said so. */
  readonly retryAfterMs: number | undefined
  /** The session of a call that had begun. */
  readonly sessionId: string | undefined
  /** What a call that had begun has cost, in USD; null where nothing could be priced. */
  readonly costUsd: number | null | undefined
  /** Where the input does not fit. */
  readonly errors: readonly Issue[]
  /** Which limit was in the way. */
  readonly budget: LimitExcess | undefined

  constructor(problem: ProblemRecord, retryAfterMs?: number) {
    super(problem.detail)
    this.name = 'LllmProblem'
    this.code = problem.code
    this.status = problem.status
    this.title = problem.title
    this.detail = problem.detail
    this.requestId = problem.request_id
    this.retryable = problem.retryable
    this.retryAfterMs = retryAfterMs
    this.sessionId = problem.session_id
    this.costUsd = problem.cost_usd
    this.errors = problem.errors ?? []
    this.budget = problem.budget
  }
}

/** Whether a value has what every problem has. */
export function isProblemRecord(value: unknown): value is ProblemRecord {
  if (typeof value !== 'object' || value === null) return false
  const { code, status, title, detail, request_id: requestId } = value as Partial<Record<keyof ProblemRecord, unknown>>
  const texts = [code, title, detail, requestId]
  return typeof status === 'number' && texts.every((text) => typeof text === 'string')
}
