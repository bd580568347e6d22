import { firstIdOf, type RetentionStore } from '../domain/retention.ts'
import type { MemorySessionStore } from './memory-session-store.ts'
import { createTableRetentionStore, type RetentionTables } from './retention-tables.ts'

/** Removes what is old from this process: of runs, which are in tables, and of their sessions and others, which are not. */
export function createMemoryRetention(sessions: MemorySessionStore, tables: RetentionTables): RetentionStore {
  const ofRuns: RetentionTables['clean'] = async (step) => {
    const cleaned = await tables.clean(step)
    if (cleaned === 'busy') return cleaned
    for (const id of cleaned.ids) {
      if (step.part === 'runs') sessions.drop(id)
      if (step.part === 'run-texts') sessions.dropTexts(id)
    }
    return cleaned
  }
  const clean: RetentionTables['clean'] = async (step) => {
    const { part, beforeMs, afterId, rowsMax } = step
    if (part !== 'sessions' && part !== 'session-texts') return ofRuns(step)
    const found = sessions.idsBetween(afterId, firstIdOf(beforeMs), rowsMax, part === 'session-texts')
    const ids = await tables.withoutRuns(found)
    for (const id of ids) {
      if (part === 'sessions') sessions.drop(id)
      else sessions.dropTexts(id)
    }
    return { ids, removed: ids.length, nextId: found.length < rowsMax ? null : (found.at(-1) ?? null) }
  }
  return createTableRetentionStore({ ...tables, clean })
}
