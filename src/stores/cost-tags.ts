import { type RawBuilder, sql } from 'kysely'
import type { CostGroup, SessionFilter } from '../domain/session-store.ts'
import { toColumnText } from './column-text.ts'
import { type SpanDetail, spanDetails } from './cost-sum-schema.ts'

/** The name of the sums that know no tag. No tag that has sums of its own is called so. */
export const noTag = ''

/** The tag by whose values a report is grouped. Undefined: it is grouped by something else. */
export function tagOf(group: CostGroup): string | undefined {
  return group.startsWith('tag.') ? group.slice('tag.'.length) : undefined
}

/**
 * From which sums a report is told: those of the one tag that it filters or groups by, as a column has its key, or those that know no tag.
 * Undefined: it asks for several tags at once, which no sums know.
 */
export function summedTag({ tags = {} }: SessionFilter, groupBy: readonly CostGroup[]): string | undefined {
  const grouped = groupBy.map(tagOf).filter((key) => key !== undefined)
  const [key, ...others] = new Set([...Object.keys(tags), ...grouped])
  if (key === undefined) return noTag
  return others.length > 0 || key === noTag ? undefined : toColumnText(key)
}

/** In how much detail a span has to be summed for a report to be told from it. */
export function detailFor({ tactic, state }: SessionFilter, groupBy: readonly CostGroup[]): SpanDetail {
  const ofAll = tactic === undefined && state === undefined
  const isByValue = groupBy.every((group) => group === 'day' || tagOf(group) !== undefined)
  return ofAll && isByValue ? spanDetails.values : spanDetails.full
}

/** The value of a tag that a row of `sessions` has: one at most. */
export function tagValue(columnKey: string): RawBuilder<string | null> {
  return sql`(select value from session_tags where session_id = sessions.id and key = ${columnKey})`
}
