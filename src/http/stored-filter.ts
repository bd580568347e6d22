import { isLllmError } from '../domain/errors.ts'
import type { SessionFilter } from '../domain/session-store.ts'
import type { Engine } from '../engine/engine.ts'

/** A filter whose tactic is written as sessions have it: they know packages by their own names, and no aliases. */
export function toStoredFilter(engine: Pick<Engine, 'find'>, filter: SessionFilter): SessionFilter {
  if (filter.tactic?.includes('::') !== true) return filter
  try {
    return { ...filter, tactic: engine.find(filter.tactic).id }
  } catch (error) {
    // Sessions stay when their tactic is gone.
    if (isLllmError(error) && error.code === 'unknown-tactic') return filter
    throw error
  }
}
