import type { RunTransaction } from './run-dialect.ts'

/** The numbers of what is told next of runs. One is left free: it names the end of a history, after its last event. */
export async function nextSeqs(
  transaction: RunTransaction,
  ids: readonly string[],
): Promise<(id: string, first?: number) => number> {
  const events = transaction.selectFrom('run_events').select(['run_id', ({ fn }) => fn.max('seq').as('last')])
  const rows = await events.where('run_id', 'in', ids).groupBy('run_id').execute()
  const lasts = new Map(rows.map(({ run_id, last }) => [run_id, Number(last)]))
  return (id, first = 1) => {
    const last = lasts.get(id)
    return last === undefined ? first : last + 2
  }
}
