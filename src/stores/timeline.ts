import type { SessionPosition, SessionSummary } from '../domain/session-store.ts'
import type { StoredSession } from './stored-session.ts'

export function positionOf({ startedAtMs, id }: SessionSummary): SessionPosition {
  return { startedAtMs, id }
}

/** How many sessions come before a position, of those that are in the order of lists: the oldest first. Found by halving. */
export function placeOf(timeline: readonly StoredSession[], { startedAtMs, id }: SessionPosition): number {
  let low = 0
  let high = timeline.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const other = timeline[middle]?.summary
    if (other === undefined) break
    const isBefore = other.startedAtMs < startedAtMs || (other.startedAtMs === startedAtMs && other.id < id)
    if (isBefore) low = middle + 1
    else high = middle
  }
  return low
}
