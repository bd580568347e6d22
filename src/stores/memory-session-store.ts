import type { CostLine } from '../domain/cost-report.ts'
import { LllmError } from '../domain/errors.ts'
import type { SessionRecord } from '../domain/session-record.ts'
import type {
  CostGroup,
  CostGroupTotals,
  SessionFilter,
  SessionStore,
  SessionSummary,
  TenantSessions,
} from '../domain/session-store.ts'
import { defaultTenant } from '../domain/tenant.ts'
import { addTotals, dayName, dayNumber, noTotals, toCostReport } from './cost-groups.ts'
import { type StoredSession, toStoredSession } from './stored-session.ts'
import { placeOf, positionOf } from './timeline.ts'

/** Characters of records that are kept together, half a GB at most, however many sessions that is. */
const recordCharactersMax = 256 * 1024 * 1024

/** Sessions in this process, and how what is old of them is removed. */
export interface MemorySessionStore extends SessionStore {
  /** The first ids between two that are not meant themselves; `withTexts`: only of sessions whose texts are kept. */
  idsBetween(afterId: string, endId: string, limit: number, withTexts: boolean): readonly string[]
  /** Forgets a session, whosever it is. */
  drop(id: string): void
  /** Forgets what happened in a session. What it cost stays. */
  dropTexts(id: string): void
}

/**
 * Keeps the newest sessions in this process, for tests and trials. They are kept as text, so that what is read is no
 * longer tied to what was saved, as with every other store.
 *
 * @param sessionsMax How many sessions are kept, 1 or more. The oldest by start go first.
 */
export function createMemorySessionStore(sessionsMax = 10_000): MemorySessionStore {
  const sessions = new Map<string, StoredSession>()
  /** The same, oldest first. */
  const timeline: StoredSession[] = []
  let recordCharacters = 0
  let isClosed = false

  function remove(id: string): boolean {
    const stored = sessions.get(id)
    if (stored === undefined) return false
    sessions.delete(id)
    timeline.splice(placeOf(timeline, positionOf(stored.summary)), 1)
    recordCharacters -= stored.record.length
    return true
  }

  function add(stored: StoredSession) {
    remove(stored.summary.id)
    sessions.set(stored.summary.id, stored)
    timeline.splice(placeOf(timeline, positionOf(stored.summary)), 0, stored)
    recordCharacters += stored.record.length
    while (timeline.length > sessionsMax || (timeline.length > 1 && recordCharacters > recordCharactersMax)) {
      remove(timeline[0]?.summary.id ?? '')
    }
  }

  const whileOpen =
    <Args extends readonly unknown[], Result>(work: (...args: Args) => Result) =>
    async (...args: Args): Promise<Result> => {
      if (isClosed) throw new LllmError('store-unavailable', 'The session store is closed.')
      return work(...args)
    }

  const of = (tenant: string): TenantSessions => {
    const own = (id: string) => {
      const stored = sessions.get(id)
      return stored?.tenant === tenant ? stored : undefined
    }
    const fitting = (filter: SessionFilter) => (stored: StoredSession) =>
      stored.tenant === tenant && fits(stored.summary, filter)
    return {
      get: whileOpen((id) => {
        const stored = own(id)
        return stored?.record ? (JSON.parse(stored.record) as SessionRecord) : undefined
      }),
      findIds: whileOpen((prefix, limit) => {
        const found = [...sessions.keys()].filter((id) => id.startsWith(prefix) && own(id) !== undefined)
        return found.sort().slice(0, limit)
      }),
      delete: whileOpen((id) => own(id) !== undefined && remove(id)),
      list: whileOpen((filter, limit, after) => {
        const isWanted = fitting(filter)
        const end = after === undefined ? timeline.length : placeOf(timeline, after)
        const found: SessionSummary[] = []
        for (let index = end - 1; index >= 0 && found.length <= limit; index--) {
          const stored = timeline[index]
          if (stored !== undefined && isWanted(stored)) found.push(stored.summary)
        }
        const data = found.slice(0, limit)
        const last = data.at(-1)
        return { data, next: found.length > limit && last !== undefined ? positionOf(last) : null }
      }),
      costOf: whileOpen((id) => own(id)?.lines),
      costs: whileOpen((filter, groupBy) => {
        const wanted = timeline.filter(fitting(filter))
        return toCostReport(groupCosts(wanted, groupBy), wanted.length)
      }),
    }
  }

  return {
    kind: 'memory',
    save: whileOpen((session, record) => add(toStoredSession(session, record))),
    ...of(defaultTenant),
    of,
    ping: whileOpen(() => undefined),
    async close() {
      isClosed = true
    },
    idsBetween(afterId, endId, limit, withTexts) {
      const found = [...sessions.values()].flatMap(({ summary: { id }, record }) =>
        id > afterId && id < endId && (record !== '' || !withTexts) ? [id] : [],
      )
      return found.sort().slice(0, limit)
    },
    drop: (id) => void remove(id),
    dropTexts(id) {
      const stored = sessions.get(id)
      if (stored !== undefined) add({ ...stored, record: '' })
    },
  }
}

function fits(summary: SessionSummary, filter: SessionFilter): boolean {
  const { tactic, state, tags = {}, startedAfterMs = -Infinity, startedBeforeMs = Infinity } = filter
  return (
    (tactic === undefined || tactic === summary.tactic || tactic === summary.tacticId) &&
    (state === undefined || state === summary.state) &&
    summary.startedAtMs >= startedAfterMs &&
    summary.startedAtMs < startedBeforeMs &&
    Object.entries(tags).every(([key, value]) => tagOf(summary, key) === value)
  )
}

function tagOf({ tags }: SessionSummary, key: string): string | null {
  return Object.hasOwn(tags, key) ? (tags[key] ?? null) : null
}

function groupCosts(sessions: readonly StoredSession[], groupBy: readonly CostGroup[]): readonly CostGroupTotals[] {
  const groups = new Map<string, CostGroupTotals>()
  for (const { summary, lines } of sessions) {
    const seen = new Set<string>()
    for (const line of lines) {
      const keys = groupBy.map((group) => keyOf(group, summary, line))
      const name = JSON.stringify(keys)
      const { sessions: count, ...sums } = groups.get(name) ?? noTotals
      const added = addTotals({ ...sums, sessions: count }, toTotals(line))
      groups.set(name, { ...added, sessions: seen.has(name) ? count : count + 1, keys })
      seen.add(name)
    }
  }
  return [...groups.values()]
}

function keyOf(group: CostGroup, summary: SessionSummary, line: CostLine): string | null {
  switch (group) {
    case 'tactic':
    case 'agent':
    case 'model':
      return line[group]
    case 'tactic_id':
      return line.tacticId
    case 'day':
      return dayName(dayNumber(summary.startedAtMs))
    default:
      return tagOf(summary, group.slice('tag.'.length))
  }
}

function toTotals({ llmCalls, cost }: CostLine) {
  const { promptPicoUsd, completionPicoUsd, ...counts } = cost
  return {
    ...counts,
    sessions: 0,
    llmCalls,
    promptPicoUsd: BigInt(promptPicoUsd),
    completionPicoUsd: BigInt(completionPicoUsd),
  }
}
