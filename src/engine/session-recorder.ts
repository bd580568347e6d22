import { addCosts } from '../domain/cost.ts'
import type { AssistantMessage } from '../domain/message.ts'
import type {
  AgentCall,
  EndReason,
  ErrorRecord,
  LlmCall,
  RetryRecord,
  Session,
  SessionState,
  ToolCallRecord,
} from '../domain/session.ts'

/** Takes down what happens in one `respond()`. */
export interface AgentCallRecorder {
  /** Called for every paid reply before anybody looks into it, and for every failed request. */
  llmCall(call: LlmCall): void
  toolCall(call: ToolCallRecord): void
  retry(retry: RetryRecord): void
  close(state: SessionState, delivery: AssistantMessage | null, endedAtMs: number): AgentCall
}

/** What is known of a session from its start. */
export type SessionStart = Pick<
  Session,
  | 'id'
  | 'tenant'
  | 'tactic'
  | 'tacticId'
  | 'startedAtMs'
  | 'task'
  | 'tags'
  | 'metadata'
  | 'config'
  | 'simulated'
  | 'content'
>

export interface SessionEnd {
  readonly state: SessionState
  readonly endReason: EndReason | null
  readonly endedAtMs: number
  readonly result: unknown
  readonly error: ErrorRecord | null
}

/** Takes down one call of a tactic. Agent calls and sub-sessions are kept in the order in which they began. */
export interface SessionRecorder {
  openAgentCall(start: {
    readonly id: string
    readonly agent: string
    readonly dialog: string
    readonly startedAtMs: number
  }): AgentCallRecorder
  /** Reserves the place of a sub-session; the function puts it there. */
  openSubSession(): (session: Session) => void
  /** Makes the session. What is recorded later is too late, so whoever closes waits for what is under way first. */
  close(end: SessionEnd): Session
}

export function recordSession(start: SessionStart): SessionRecorder {
  const agentCalls: (AgentCall | undefined)[] = []
  const subSessions: (Session | undefined)[] = []
  return {
    openAgentCall(callStart) {
      const place = agentCalls.push(undefined) - 1
      return recordAgentCall(callStart, (call) => {
        agentCalls[place] = call
      })
    },
    openSubSession() {
      const place = subSessions.push(undefined) - 1
      return (session) => {
        subSessions[place] = session
      }
    },
    close(end) {
      const calls = agentCalls.filter((call) => call !== undefined)
      const children = subSessions.filter((session) => session !== undefined)
      return {
        ...start,
        ...end,
        simulated: start.simulated || children.some(({ simulated }) => simulated),
        agentCalls: calls,
        subSessions: children,
        cost: addCosts([...calls, ...children].map(({ cost }) => cost)),
      }
    },
  }
}

function recordAgentCall(
  start: { readonly id: string; readonly agent: string; readonly dialog: string; readonly startedAtMs: number },
  keep: (call: AgentCall) => void,
): AgentCallRecorder {
  const llmCalls: LlmCall[] = []
  const toolCalls: ToolCallRecord[] = []
  const retries: RetryRecord[] = []
  return {
    llmCall: (call) => llmCalls.push(call),
    toolCall: (call) => toolCalls.push(call),
    retry: (retry) => retries.push(retry),
    close(state, delivery, endedAtMs) {
      const call: AgentCall = {
        ...start,
        state,
        durationMs: endedAtMs - start.startedAtMs,
        cost: addCosts(llmCalls.map(({ cost }) => cost)),
        llmCalls,
        toolCalls,
        retries,
        delivery,
      }
      keep(call)
      return call
    },
  }
}
