import type { Json } from '../domain/json.ts'
import type { SessionState } from '../domain/session.ts'
import type { CostRecord } from '../domain/session-record.ts'

interface Place {
  readonly session_id: string
  /** The names of the tactics from the root to the one in which it happens. */
  readonly path: readonly string[]
}

interface AgentPlace extends Place {
  readonly call_id: string
  readonly agent: string
  readonly dialog: string
}

interface ToolPlace extends AgentPlace {
  readonly tool_call_id: string
  readonly tool: string
}

/** The data of each event of a stream, by the event's name. */
export interface StreamEvents {
  readonly 'session.started': Place & {
    readonly tactic: string
    readonly started_at: string
    readonly simulated: boolean
  }
  readonly 'tactic.started': Place & { readonly tactic: string; readonly parent_id: string }
  readonly 'tactic.completed': Place & {
    readonly tactic: string
    readonly parent_id: string
    readonly state: SessionState
    readonly cost: CostRecord
  }
  readonly 'agent.started': AgentPlace
  /** A piece of a reply. Another `attempt` of the same `step` means that what came before it was not used. */
  readonly 'agent.delta': AgentPlace & { readonly step: number; readonly attempt: number; readonly text: string }
  readonly 'agent.completed': AgentPlace & { readonly state: SessionState; readonly cost: CostRecord }
  /** `arguments` are as the model wrote them. */
  readonly 'tool.started': ToolPlace & { readonly arguments: string }
  readonly 'tool.completed': ToolPlace & { readonly result: string; readonly error: string | null }
  /** What the tactic's author tells. */
  readonly progress: Place & { readonly data: Json }
}

export type StreamEventType = keyof StreamEvents

/** An event of a stream: its data as the service sends them, and its name as `type`. */
export type StreamEvent = { [Type in StreamEventType]: { readonly type: Type } & StreamEvents[Type] }[StreamEventType]

const eventTypes: Readonly<Record<StreamEventType, true>> = {
  'session.started': true,
  'tactic.started': true,
  'tactic.completed': true,
  'agent.started': true,
  'agent.delta': true,
  'agent.completed': true,
  'tool.started': true,
  'tool.completed': true,
  progress: true,
}

export function isStreamEventType(name: string): name is StreamEventType {
  return Object.hasOwn(eventTypes, name)
}
