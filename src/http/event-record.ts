import { toRfc3339 } from '../domain/clock.ts'
import type { AgentPlace, EngineEvent, EventPlace } from '../domain/event.ts'
import { toCostRecord } from '../domain/session-record.ts'

/** The data of an event, as streams send it. */
export function toEventRecord(event: EngineEvent) {
  switch (event.type) {
    case 'session.started':
      return {
        ...toPlace(event),
        tactic: event.tactic,
        started_at: toRfc3339(event.startedAtMs),
        simulated: event.simulated,
      }
    case 'tactic.started':
      return { ...toPlace(event), tactic: event.tactic, parent_id: event.parentId }
    case 'tactic.completed':
      return {
        ...toPlace(event),
        tactic: event.tactic,
        parent_id: event.parentId,
        state: event.state,
        cost: toCostRecord(event.cost),
      }
    case 'agent.started':
      return toAgentPlace(event)
    case 'agent.delta':
      return { ...toAgentPlace(event), step: event.step, attempt: event.attempt, text: event.text }
    case 'agent.completed':
      return { ...toAgentPlace(event), state: event.state, cost: toCostRecord(event.cost) }
    case 'tool.started':
      return {
        ...toAgentPlace(event),
        tool_call_id: event.toolCallId,
        tool: event.tool,
        arguments: event.arguments,
      }
    case 'tool.completed':
      return {
        ...toAgentPlace(event),
        tool_call_id: event.toolCallId,
        tool: event.tool,
        result: event.result,
        error: event.error,
      }
    case 'progress':
      return { ...toPlace(event), data: event.data }
  }
}

function toPlace({ sessionId, path }: EventPlace) {
  return { session_id: sessionId, path }
}

function toAgentPlace(place: AgentPlace) {
  return { ...toPlace(place), call_id: place.callId, agent: place.agent, dialog: place.dialog }
}
