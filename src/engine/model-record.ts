import { type Cost, costOf, noCost, type Usage } from '../domain/cost.ts'
import { ProviderError, type ProviderErrorKind } from '../domain/invoker.ts'
import type { JournalEntry } from '../domain/journal.ts'
import type { Amounts } from '../domain/limits.ts'
import type { AssistantMessage } from '../domain/message.ts'
import type { LlmCall } from '../domain/session.ts'

/** A request to a model without what was sent, which is known where it is sent again. */
export type JournalledCall = Omit<LlmCall, 'request'>

/** What the journal knows of one request to a model. */
export interface ModelRecord {
  readonly agent: string
  readonly dialog: string
  readonly tactic: string
  readonly tacticId: string
  /** How it ended. While it is under way: how it will have ended if nobody ever hears of it. */
  readonly call: JournalledCall
  /** Of one that failed at its provider. */
  readonly failure: FailureRecord | null
  /** Whether it was sent: it may have waited for its turn to the end. */
  readonly wasSent: boolean
  /** What it counts for against limits. While it is under way: all that was set aside for it. */
  readonly taken: TakenRecord
  /** The same request of earlier attempts: lost when their process died, or stopped. They were paid for all the same. */
  readonly earlier: readonly EarlierCall[]
}

/** Amounts as decimal text. */
export type TakenRecord = Readonly<Record<keyof Amounts, string>>

export interface EarlierCall {
  readonly call: JournalledCall
  readonly taken: TakenRecord
}

export interface FailureRecord {
  readonly kind: ProviderErrorKind
  readonly message: string
  readonly status: number | null
  readonly retryAfterMs: number | null
  readonly usage: Usage | null
  readonly partial: AssistantMessage | null
  readonly mayBeBilled: boolean
}

export function readModelRecord({ record }: JournalEntry): ModelRecord {
  return JSON.parse(record) as ModelRecord
}

/** All requests that were paid for under one key, those of earlier attempts first. */
export function allCalls({ earlier, call, taken }: ModelRecord): readonly EarlierCall[] {
  return [...earlier, { call, taken }]
}

export type CallStart = Pick<LlmCall, 'id' | 'step' | 'attempt' | 'invoker' | 'model' | 'startedAtMs'>

const lostMessage = 'The process ended while this request was under way: what it came to is not known.'

/** What becomes of a request of which nobody hears any more. It may have been paid for. */
export function asLost(start: CallStart, isSimulated: boolean): JournalledCall {
  const cost: Cost = isSimulated ? noCost : costOf(null, null)
  return { ...start, durationMs: 0, response: null, usage: null, cost, error: { code: 'lost', message: lostMessage } }
}

export function toFailureRecord(error: ProviderError): FailureRecord {
  const { kind, message, status, retryAfterMs, usage, partial, mayBeBilled } = error
  return { kind, message, status, retryAfterMs, usage, partial, mayBeBilled }
}

export function fromFailureRecord({ kind, message, ...details }: FailureRecord): ProviderError {
  return new ProviderError(kind, message, details)
}

export function toTakenRecord({ usd, tokens, llm_calls }: Amounts): TakenRecord {
  return { usd: `${usd}`, tokens: `${tokens}`, llm_calls: `${llm_calls}` }
}

export function fromTakenRecord({ usd, tokens, llm_calls }: TakenRecord): Amounts {
  return { usd: BigInt(usd), tokens: BigInt(tokens), llm_calls: BigInt(llm_calls) }
}
