import type { RunEvent } from '../domain/run.ts'

/**
 * What an event is told by when a run is executed again: the same thing happens under the same name in each attempt. Null: pieces of
 * replies, which are told as they come, and the ends of a run.
 */
export function identityOf(event: RunEvent): string | null {
  switch (event.type) {
    case 'session.started':
      return event.type
    case 'tactic.started':
    case 'progress':
      return `${event.type} ${event.sessionId}`
    case 'tactic.completed':
      return `${event.type} ${event.sessionId} ${event.state}`
    case 'agent.started':
      return `${event.type} ${event.callId}`
    case 'agent.completed':
      return `${event.type} ${event.callId} ${event.state}`
    case 'tool.started':
    case 'tool.completed':
      return `${event.type} ${event.callId} ${event.toolCallId}`
    case 'agent.delta':
    case 'result':
    case 'error':
    case 'run.resumed':
      return null
  }
}

/** Counts how often something was told. */
export function countIdentities(events: readonly RunEvent[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const event of events) {
    const identity = identityOf(event)
    if (identity !== null) counts.set(identity, (counts.get(identity) ?? 0) + 1)
  }
  return counts
}
