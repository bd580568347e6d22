import { isLllmError } from '../domain/errors.ts'
import type { Engine } from '../engine/engine.ts'

/** A filter whose tactic is written as sessions and runs have it: they know packages by their own names, and no aliases. */
export function toStoredFilter<Filter extends { readonly tactic?: string }>(
  engine: Pick<Engine, 'find'>,
  filter: Filter,
): Filter {
  if (filter.tactic?.includes('::') !== true) return filter
  try {
    return { ...filter, tactic: engine.find(filter.tactic).id }
  } catch (error) {
    // They stay when their tactic is gone.
    if (isLllmError(error) && error.code === 'unknown-tactic') return filter
    throw error
  }
}
