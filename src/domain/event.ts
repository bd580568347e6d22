import type { Cost } from './cost.ts'
import type { Json } from './json.ts'
import type { SessionState } from './session.ts'

/** Where in the tree of a call something happens. */
export interface EventPlace {
  /** The session of the tactic in which it happens: the root's, or a sub-session's. */
  readonly sessionId: string
  /** The names of the tactics from the root to this one. */
  readonly path: readonly string[]
}

/** Which `respond()` of which agent it belongs to. */
export interface AgentPlace extends EventPlace {
  readonly callId: string
  readonly agent: string
  readonly dialog: string
}

/**
 * What happens in a call, as it happens. Between `session.started` and the end of the call, events come in the order in
 * which things happen; those of parallel agents are told apart by their `callId`.
 */
export type EngineEvent =
  | (EventPlace & {
      readonly type: 'session.started'
      readonly tactic: string
      readonly startedAtMs: number
      readonly simulated: boolean
    })
  | (EventPlace & { readonly type: 'tactic.started'; readonly tactic: string; readonly parentId: string })
  | (EventPlace & {
      readonly type: 'tactic.completed'
      readonly tactic: string
      readonly parentId: string
      readonly state: SessionState
      readonly cost: Cost
    })
  | (AgentPlace & { readonly type: 'agent.started' })
  /** A piece of a reply. Another `attempt` of the same `step` means that what came before it was not used. */
  | (AgentPlace & {
      readonly type: 'agent.delta'
      readonly step: number
      readonly attempt: number
      readonly text: string
    })
  | (AgentPlace & { readonly type: 'agent.completed'; readonly state: SessionState; readonly cost: Cost })
  | (AgentPlace & {
      readonly type: 'tool.started'
      readonly toolCallId: string
      readonly tool: string
      readonly arguments: string
    })
  | (AgentPlace & {
      readonly type: 'tool.completed'
      readonly toolCallId: string
      readonly tool: string
      readonly result: string
      readonly error: string | null
    })
  /** What a tactic's author tells with `this.emit(data)`. */
  | (EventPlace & { readonly type: 'progress'; readonly data: Json })

/**
 * Takes events. Whoever emits waits for what this returns before it goes on: a reader that does not read stops the
 * producer, down to the provider's socket. It never throws and never rejects.
 */
export type Emit = (event: EngineEvent) => void | Promise<void>
