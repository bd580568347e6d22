import type { Cost } from '../domain/cost.ts'
import type { AgentPlace, Emit, EngineEvent, EventPlace } from '../domain/event.ts'
import type { OnDelta } from '../domain/invoker.ts'
import type { Json } from '../domain/json.ts'
import type { ToolCall } from '../domain/message.ts'
import type { SessionState } from '../domain/session.ts'
import { untilAborted } from '../domain/until-aborted.ts'

/** Tells an event and waits until there is room for more; once the call has been stopped, it waits for nobody. */
export type Tell = (event: EngineEvent) => Promise<void>

export function openTell(emit: Emit, signal: AbortSignal): Tell {
  return async (event) => {
    const room = emit(event)
    if (room === undefined || signal.aborted) return
    await untilAborted(() => room, signal).catch(() => undefined)
  }
}

/** Tells what an agent does in one `respond()`. */
export interface AgentAnnouncer {
  /** Takes the pieces of one reply. */
  deltas(step: number, attempt: number): OnDelta
  started(): Promise<void>
  completed(state: SessionState, cost: Cost): Promise<void>
  toolStarted(call: ToolCall): Promise<void>
  toolCompleted(call: ToolCall, result: string, error: string | null): Promise<void>
}

export function announceAgent(tell: Tell, place: AgentPlace): AgentAnnouncer {
  const named = ({ id, name }: ToolCall) => ({ ...place, toolCallId: id, tool: name })
  return {
    deltas: (step, attempt) => (text) => tell({ type: 'agent.delta', ...place, step, attempt, text }),
    started: () => tell({ type: 'agent.started', ...place }),
    completed: (state, cost) => tell({ type: 'agent.completed', ...place, state, cost }),
    toolStarted: (call) => tell({ type: 'tool.started', ...named(call), arguments: call.arguments }),
    toolCompleted: (call, result, error) => tell({ type: 'tool.completed', ...named(call), result, error }),
  }
}

/** What an author may tell at once, in characters of JSON. */
const progressLengthMax = 16_384

/** Tells what a tactic's author has to say. @throws TypeError when that is no JSON, or too much. */
export async function tellProgress(tell: Tell | undefined, place: EventPlace, data: Json): Promise<void> {
  const text = JSON.stringify(data) as string | undefined
  if (text === undefined || text.length > progressLengthMax) {
    throw new TypeError(`emit(data): the data is JSON of at most ${progressLengthMax} characters.`)
  }
  // A copy: what is told must not change while it waits to be read.
  await tell?.({ type: 'progress', ...place, data: JSON.parse(text) as Json })
}
