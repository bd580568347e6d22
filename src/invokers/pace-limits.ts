/** What may be asked of one model at one provider. */
export interface PaceLimits {
  /** Requests under way at once. */
  readonly concurrency: number
  /** Requests in any 60 seconds. Left out: no limit. */
  readonly requestsPerMinute?: number | undefined
  /** Tokens of prompts and completions in any 60 seconds. Left out: no limit. */
  readonly tokensPerMinute?: number | undefined
}
