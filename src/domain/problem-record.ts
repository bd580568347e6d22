import type { ErrorCode, Issue } from './errors.ts'
import type { LimitExcess } from './limits.ts'

/** The body of an error answer, as the service tells it and clients read it: RFC 9457, and members of our own after `instance`. */
export interface ProblemRecord {
  /** A path of the service that explains the code. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly instance?: string
  readonly code: ErrorCode
  readonly request_id: string
  readonly retryable: boolean
  readonly errors?: readonly Issue[]
  readonly session_id?: string
  readonly cost_usd?: number | null
  /** Which limit was in the way. */
  readonly budget?: LimitExcess
}
