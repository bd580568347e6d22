import type { JsonObject } from '../domain/json.ts'
import type { RequestOptions } from './transport.ts'

export interface CallOptions extends RequestOptions {
  /** The name of one of the tactic's configs. Default: its first. */
  readonly config?: string
  /** Labels by which sessions and costs are filtered and grouped: up to 32. */
  readonly tags?: Readonly<Record<string, string>>
  /** Any JSON object of up to 16 KiB, kept with the session. */
  readonly metadata?: JsonObject
  /** USD that the call may cost, sub-tactics and retries included; of a batch, all of its calls together. Above 0, up to 1,000,000. */
  readonly budgetUsd?: number
}

/** Of a single call. */
export interface SingleCallOptions extends CallOptions {
  /** What the call may take beside money, everything below it included. What is left out is not limited. */
  readonly limits?: CallLimits
}

export interface CallLimits {
  /** Tokens of prompts and completions together. */
  readonly tokens?: number
  /** Requests to a model, the failed ones too. */
  readonly llmCalls?: number
  /** Levels of sub-tactics below the call. */
  readonly depth?: number
}

/** Of what can be sent again: everything but streams. */
export interface KeyedOptions {
  /**
   * Names the request, so that it is done once, however often it is sent: whoever sends it again has the answer of the first, for a day.
   * 1 to 255 visible ASCII characters, such as a `crypto.randomUUID()`. Default: each request is a new one.
   */
  readonly idempotencyKey?: string
}

export interface BatchOptions extends CallOptions {
  /** Tasks under way at once. Default 4. */
  readonly maxWorkers?: number
  /** Whether the first failure in time ends the batch. Default false. */
  readonly failFast?: boolean
  /** Whether items carry their sessions, or summaries of them. Default false. */
  readonly returnSessions?: boolean | 'summary'
}

/** The fields of a body that all calls have in common. */
export function toCallFields(options: SingleCallOptions, timeoutMs: number | undefined) {
  const { config, tags, metadata, budgetUsd, limits } = options
  return defined({
    config,
    tags,
    metadata,
    timeout_ms: options.timeoutMs ?? timeoutMs,
    budget_usd: budgetUsd,
    limits: limits && toLimitFields(limits),
  })
}

export function toLimitFields({ tokens, llmCalls, depth }: CallLimits) {
  return defined({ tokens, llm_calls: llmCalls, depth })
}

export function toBatchFields(options: BatchOptions, timeoutMs: number | undefined) {
  const { maxWorkers, failFast, returnSessions } = options
  return {
    ...toCallFields(options, timeoutMs),
    ...defined({ max_workers: maxWorkers, fail_fast: failFast, return_sessions: returnSessions }),
  }
}

/** What a request takes beside its body. */
export function toRequestOptions(options: RequestOptions & KeyedOptions): RequestOptions & KeyedOptions {
  const { signal, timeoutMs, idempotencyKey } = options
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}

/** Without the fields that are left out. */
export function defined(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
