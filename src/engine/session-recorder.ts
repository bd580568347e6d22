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

/** What is known of an agent's call from its start. */
export type AgentCallStart = Pick<AgentCall, 'id' | 'agent' | 'dialog' | 'startedAtMs'>

export interface SessionEnd {
  readonly state: SessionState
  readonly endReason: EndReason | null
  readonly endedAtMs: number
  readonly result: unknown
  readonly error: ErrorRecord | null
}

/** Takes down one call of a tactic. Agent calls and sub-sessions are kept in the order in which they began. */
export interface SessionRecorder {
  openAgentCall(start: AgentCallStart): AgentCallRecorder
  /** Reserves the place of a sub-session; the function puts it there. */
  openSubSession(): (session: Session) => void
  /** Makes the session. What is recorded later is too late, so whoever closes waits for what is under way first. */
  close(end: SessionEnd): Session
}

export function recordSession(start: SessionStart): SessionRecorder {
  return new SessionRecording(start)
}

// Classes, as each call has one and may wait for long: closures would keep several times as much.

class SessionRecording implements SessionRecorder {
  readonly #start: SessionStart
  readonly #agentCalls: (AgentCall | undefined)[] = []
  readonly #subSessions: (Session | undefined)[] = []

  constructor(start: SessionStart) {
    this.#start = start
  }

  openAgentCall(start: AgentCallStart): AgentCallRecorder {
    const place = this.#agentCalls.push(undefined) - 1
    return new AgentCallRecording(start, (call) => {
      this.#agentCalls[place] = call
    })
  }

  openSubSession() {
    const place = this.#subSessions.push(undefined) - 1
    return (session: Session) => {
      this.#subSessions[place] = session
    }
  }

  close(end: SessionEnd): Session {
    const calls = this.#agentCalls.filter((call) => call !== undefined)
    const children = this.#subSessions.filter((session) => session !== undefined)
    return {
      ...this.#start,
      ...end,
      simulated: this.#start.simulated || children.some(({ simulated }) => simulated),
      agentCalls: calls,
      subSessions: children,
      cost: addCosts([...calls, ...children].map(({ cost }) => cost)),
    }
  }
}

class AgentCallRecording implements AgentCallRecorder {
  readonly #start: AgentCallStart
  readonly #keep: (call: AgentCall) => void
  readonly #llmCalls: LlmCall[] = []
  readonly #toolCalls: ToolCallRecord[] = []
  readonly #retries: RetryRecord[] = []

  constructor(start: AgentCallStart, keep: (call: AgentCall) => void) {
    this.#start = start
    this.#keep = keep
  }

  llmCall(call: LlmCall) {
    this.#llmCalls.push(call)
  }
  toolCall(call: ToolCallRecord) {
    this.#toolCalls.push(call)
  }
  retry(retry: RetryRecord) {
    this.#retries.push(retry)
  }

  close(state: SessionState, delivery: AssistantMessage | null, endedAtMs: number): AgentCall {
    const call: AgentCall = {
      ...this.#start,
      state,
      durationMs: endedAtMs - this.#start.startedAtMs,
      cost: addCosts(this.#llmCalls.map(({ cost }) => cost)),
      llmCalls: this.#llmCalls,
      toolCalls: this.#toolCalls,
      retries: this.#retries,
      delivery,
    }
    this.#keep(call)
    return call
  }
}
