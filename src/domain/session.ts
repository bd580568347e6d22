import type { Cost, Usage } from './cost.ts'
import type { ErrorCode, ErrorData } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { AssistantMessage, Message, ToolSpec } from './message.ts'
import type { StoreContent } from './store-content.ts'

export type SessionState = 'running' | 'success' | 'failure' | 'cancelled'
export const sessionStates: readonly SessionState[] = ['running', 'success', 'failure', 'cancelled']

/** What an id of a session may be. Ids become parts of paths, and of what is shown. */
export const sessionIdPattern = /^[A-Za-z0-9_.-]{1,128}$/

/** What ended a call before its time. */
export type EndReason = StopReason | 'budget'

/** What stopped a call from outside. */
export type StopReason = 'client-closed' | 'deadline' | 'shutdown' | 'cancelled'

/** An error as data: what may be stored and shown. */
export interface ErrorRecord {
  readonly code: ErrorCode
  readonly message: string
  readonly data?: ErrorData
}

/** One request to a provider, answered or not. */
export interface LlmCall {
  readonly id: string
  /** Round of tool calls within the agent call, from 0. */
  readonly step: number
  /** Try within the step, from 0. */
  readonly attempt: number
  readonly invoker: string
  readonly model: string
  readonly startedAtMs: number
  readonly durationMs: number
  readonly request: {
    readonly messages: readonly Message[]
    readonly args: JsonObject
    readonly tools: readonly ToolSpec[]
  }
  readonly response: {
    readonly id: string | null
    readonly model: string | null
    readonly message: AssistantMessage
    readonly finishReason: string | null
  } | null
  readonly usage: Usage | null
  readonly cost: Cost
  readonly error: { readonly code: string; readonly message: string } | null
}

export interface ToolCallRecord {
  readonly id: string
  readonly step: number
  readonly name: string
  /** As the model wrote them. */
  readonly arguments: string
  /** What the model was told. */
  readonly result: string
  readonly error: string | null
  readonly startedAtMs: number
  readonly durationMs: number
}

/**
 * Why a model was asked again: its reply was unusable (`exception`), or the provider failed (`recall`); or why the next one
 * was asked instead (`fallback`).
 */
export interface RetryRecord {
  readonly kind: 'exception' | 'recall' | 'fallback'
  readonly step: number
  readonly error: string
  readonly waitedMs: number
}

/** One `respond()`. */
export interface AgentCall {
  readonly id: string
  readonly agent: string
  readonly dialog: string
  readonly state: SessionState
  readonly startedAtMs: number
  readonly durationMs: number
  readonly cost: Cost
  readonly llmCalls: readonly LlmCall[]
  readonly toolCalls: readonly ToolCallRecord[]
  readonly retries: readonly RetryRecord[]
  readonly delivery: AssistantMessage | null
}

/** The record of one call of a tactic, with the calls of its sub-tactics inside. It is data: nothing in it is live. */
export interface Session {
  readonly id: string
  /** Whose it is; of a root, where that is not the default tenant. It is no part of the record, which only that tenant sees. */
  readonly tenant?: string
  readonly tactic: string
  /** `package::name`, the identity that survives a rename of files and aliases. */
  readonly tacticId: string
  readonly state: SessionState
  readonly endReason: EndReason | null
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly task: unknown
  readonly result: unknown
  readonly error: ErrorRecord | null
  readonly tags: Readonly<Record<string, string>>
  readonly metadata: JsonObject
  readonly config: { readonly name: string; readonly hash: string }
  /** Whether any of its models was simulated. */
  readonly simulated: boolean
  readonly agentCalls: readonly AgentCall[]
  readonly subSessions: readonly Session[]
  /** The exact sum of the model calls of the whole tree. */
  readonly cost: Cost
  /** What is kept of its texts. Left out: all of them. */
  readonly content?: StoreContent
}

/** The error of a request that was kept back on this side until the end. */
export const notSent = 'not-sent'

/** Whether a request got as far as its provider. One that found no connection did not; one whose socket was cut did. */
export function reachedProvider({ error, cost }: Pick<LlmCall, 'error' | 'cost'>): boolean {
  if (error?.code === notSent) return false
  return error?.code !== 'unreachable' || cost.pricedCalls + cost.unpricedCalls > 0
}

/** Requests that reached a provider, over the whole tree. */
export function countLlmCalls(session: Session): number {
  const own = session.agentCalls.reduce((count, { llmCalls }) => count + llmCalls.filter(reachedProvider).length, 0)
  return session.subSessions.reduce((count, child) => count + countLlmCalls(child), own)
}
