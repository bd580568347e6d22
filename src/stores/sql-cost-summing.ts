import type { SessionFilter } from '../domain/session-store.ts'
import { type CostSpan, dayMs, hourMs, spansOf } from './cost-spans.ts'
import { spanDetails } from './cost-sum-schema.ts'
import { markSpans, sumHoursOf, sumSessionsOf } from './sql-cost-sums.ts'
import { missingSpans, type SumScope, summedOf, unsettledOf } from './sql-costs.ts'
import { detailOfDay, detailOfHour, isOfFewSessions } from './sql-tag-values.ts'

/** After this a step begins nothing more: saves wait for its end. */
const stepMs = 50
/** Spans without a session that are marked by one statement. */
const marksMax = 1_000

/**
 * Sums some of the hours and days of a filter's time that have not been summed, in one transaction.
 *
 * @returns whether there may be more of them.
 */
export async function sumSomeCosts(scope: SumScope, filter: SessionFilter): Promise<boolean> {
  // Looks without a lock first: nearly always all is summed.
  if ((await missingSpans(scope, filter)).length === 0 || (await isOfFewSessions(scope, filter))) return false
  return scope.db.transaction().execute(async (transaction) => {
    await scope.dialect.takeTurns(transaction)
    const step = { ...scope, db: transaction, endsAtMs: performance.now() + stepMs }
    return !(await sumAll(step, await missingSpans(step, filter)))
  })
}

interface Step extends SumScope {
  /** On the clock of `performance`. */
  readonly endsAtMs: number
}

/** Sums spans in their order. False: the step was over before. */
async function sumAll(step: Step, spans: readonly CostSpan[]): Promise<boolean> {
  let rest = spans
  for (let [next] = rest; next !== undefined; [next] = rest) {
    if (performance.now() >= step.endsAtMs) return false
    const startMs = await nextStart(step, next.fromMs)
    const busyAt = rest.findIndex(({ toMs }) => toMs > startMs)
    const empty = rest.slice(0, busyAt === -1 ? rest.length : busyAt).slice(0, marksMax)
    if (empty.length > 0) await markSpans(step, empty, spanDetails.full)
    else if (next.spanMs === hourMs) await sumSessionsOf(step, next, await detailOfHour(step, next))
    else if (!(await sumDay(step, next))) return false
    rest = rest.slice(Math.max(empty.length, 1))
  }
  return true
}

/** A day is the sum of its hours, so that one on which much happened takes more steps, and no longer ones. */
async function sumDay(step: Step, { fromMs, toMs }: CostSpan): Promise<boolean> {
  const day = { spanMs: dayMs, fromMs, toMs } as const
  const hours = { spanMs: hourMs, fromMs, toMs } as const
  if (!(await sumAll(step, await unsettledOf(step, hours)))) return false
  const hasAll = (await summedOf(step, hours)).size === spansOf(hours).length
  await sumHoursOf(step, day, hasAll ? await detailOfDay(step, day) : spanDetails.none)
  return true
}

/** When the first session starts at a time or later. Infinite: none does. */
async function nextStart({ db, tenant }: SumScope, fromMs: number): Promise<number> {
  const starts = db.selectFrom('sessions').select('started_at').where('tenant', '=', tenant)
  const found = await starts.where('started_at', '>=', fromMs).orderBy('started_at').limit(1).executeTakeFirst()
  return found === undefined ? Infinity : Number(found.started_at)
}
