import { type Kysely, sql } from 'kysely'
import { addCosts, noCost } from '../domain/cost.ts'
import { type RunBatch, runStates } from '../domain/run.ts'
import type { RunFilter, RunPosition } from '../domain/run-store.ts'
import { toColumnText } from './column-text.ts'
import { toRun, toRunSummary, toStoredEvent } from './run-rows.ts'
import { type RunDatabase, runColumns } from './run-schema.ts'
import type { RunTables } from './run-tables.ts'
import { toCost } from './sql-queries.ts'
import { costColumns } from './sql-schema.ts'

/** Events of one history that are read: more than any run should tell that is started again. */
const historyEventsMax = 100_000

/** What there is to see of runs. */
export function createRunLists(
  db: Kysely<RunDatabase>,
): Pick<RunTables, 'get' | 'list' | 'history' | 'events' | 'batch' | 'batches' | 'batchRuns'> {
  return {
    async get(tenant, id) {
      const own = selectRuns(db).where('runs.id', '=', id).where('runs.tenant', '=', tenant)
      const row = await own.executeTakeFirst()
      return row && toRun(row)
    },
    async list(tenant, filter, limit, after) {
      const { query, createdAt, id } = filterRuns(db, tenant, filter)
      const rows = await query
        .select(runColumns.map((column) => `runs.${column}` as const))
        .$if(after !== undefined, (runs) =>
          runs.where(sql<boolean>`(${createdAt}, ${id}) < (${after?.createdAtMs}, ${after?.id})`),
        )
        .orderBy(createdAt, 'desc')
        .orderBy(id, 'desc')
        .limit(limit + 1)
        .execute()
      return toPage(rows.map(toRunSummary), limit)
    },
    async history(runId) {
      const journal = db.selectFrom('run_journal').select(['key', 'kind', 'state', 'record'])
      const entries = await journal.where('run_id', '=', runId).execute()
      const all = db.selectFrom('run_events').where('run_id', '=', runId)
      const events = all
        .select(['seq', 'event'])
        .where('type', '!=', 'agent.delta')
        .orderBy('seq')
        .limit(historyEventsMax)
      const last = await all.select(({ fn }) => fn.max('seq').as('last')).executeTakeFirst()
      return { journal: entries, events: (await events.execute()).map(toStoredEvent), lastSeq: Number(last?.last ?? 0) }
    },
    async events(tenant, runId, afterSeq, limit) {
      const events = db
        .selectFrom('run_events')
        .innerJoin('runs', 'runs.id', 'run_events.run_id')
        .select(['seq', 'event'])
        .where('run_id', '=', runId)
        .where('runs.tenant', '=', tenant)
      return (await events.where('seq', '>', afterSeq).orderBy('seq').limit(limit).execute()).map(toStoredEvent)
    },
    async batch(tenant, id) {
      const own = db.selectFrom('run_batches').selectAll().where('id', '=', id).where('tenant', '=', tenant)
      return (await withCounts(db, await own.execute()))[0]
    },
    async batches(tenant, limit, after) {
      const rows = await db
        .selectFrom('run_batches')
        .selectAll()
        .where('tenant', '=', tenant)
        .$if(after !== undefined, (batches) =>
          batches.where(sql<boolean>`(created_at, id) < (${after?.createdAtMs}, ${after?.id})`),
        )
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return toPage(await withCounts(db, rows), limit)
    },
    async batchRuns(tenant, batchId, fromIndex, limit) {
      const runs = selectRuns(db).where('runs.batch_id', '=', batchId).where('runs.tenant', '=', tenant)
      const rest = runs.where('runs.batch_index', '>=', fromIndex)
      return (await rest.orderBy('runs.batch_index').limit(limit).execute()).map(toRun)
    },
  }
}

function selectRuns(db: Kysely<RunDatabase>) {
  return db
    .selectFrom('runs')
    .leftJoin('run_payloads', 'run_payloads.run_id', 'runs.id')
    .select(runColumns.map((column) => `runs.${column}` as const))
    .select(['run_payloads.request', 'run_payloads.outcome'])
}

/** With tags, the rows of the first one lead, which their index has in the order of lists. */
function filterRuns(db: Kysely<RunDatabase>, tenant: string, { tactic, state, batchId, tags = {} }: RunFilter) {
  const [leading, ...others] = Object.entries(tags)
  const createdAt = sql.ref<number>(leading === undefined ? 'runs.created_at' : 'leading.created_at')
  const id = sql.ref<string>(leading === undefined ? 'runs.id' : 'leading.run_id')
  const owner = sql.ref<string>(leading === undefined ? 'runs.tenant' : 'leading.tenant')
  const [name, packageName] = tactic?.split('::').reverse() ?? []
  const query = db
    .selectFrom('runs')
    .$if(leading !== undefined, (runs) =>
      runs.innerJoin('run_tags as leading', (join) =>
        join
          .onRef('leading.run_id', '=', 'runs.id')
          .on('leading.key', '=', toColumnText(leading?.[0] ?? ''))
          .on('leading.value', '=', toColumnText(leading?.[1] ?? '')),
      ),
    )
    .where(owner, '=', tenant)
    .where(({ and, eb, exists, selectFrom }) =>
      and([
        ...(name === undefined ? [] : [eb('runs.tactic', '=', toColumnText(name))]),
        ...(packageName === undefined ? [] : [eb('runs.tactic_id', '=', toColumnText(tactic ?? ''))]),
        ...(state === undefined ? [] : [eb('runs.state', '=', state)]),
        ...(batchId === undefined ? [] : [eb('runs.batch_id', '=', batchId)]),
        ...others.map(([key, value]) =>
          exists(
            selectFrom('run_tags as wanted')
              .select('wanted.run_id')
              .whereRef('wanted.run_id', '=', 'runs.id')
              .where('wanted.key', '=', toColumnText(key))
              .where('wanted.value', '=', toColumnText(value)),
          ),
        ),
      ]),
    )
  return { query, createdAt, id }
}

function toPage<Item extends RunPosition>(items: readonly Item[], limit: number) {
  const data = items.slice(0, limit)
  const last = data.at(-1)
  const hasMore = items.length > limit && last !== undefined
  return { data, next: hasMore ? { createdAtMs: last.createdAtMs, id: last.id } : null }
}

type BatchRow = {
  readonly id: string
  readonly tenant: string
  readonly tactic: string
  readonly tactic_id: string
  readonly tags: string
} & {
  readonly created_at: bigint | number | string
}

async function withCounts(db: Kysely<RunDatabase>, batches: readonly BatchRow[]): Promise<readonly RunBatch[]> {
  if (batches.length === 0) return []
  const ids = batches.map(({ id }) => id)
  const rows = await db
    .selectFrom('runs')
    .select(['batch_id', 'state', sql<bigint | string>`count(*)`.as('count')])
    // As text, since drivers differ in what they make of the sum of whole numbers.
    .select(costColumns.map((column) => sql<string>`cast(sum(${sql.ref(column)}) as text)`.as(column)))
    .where('batch_id', 'in', ids)
    .groupBy(['batch_id', 'state'])
    .execute()
  return batches.map((batch) => {
    const own = rows.filter(({ batch_id }) => batch_id === batch.id)
    const counts = Object.fromEntries(
      runStates.map((state) => [state, Number(own.find((row) => row.state === state)?.count ?? 0)]),
    ) as RunBatch['counts']
    return {
      id: batch.id,
      tenant: batch.tenant,
      tactic: batch.tactic,
      tacticId: batch.tactic_id,
      tags: JSON.parse(batch.tags) as RunBatch['tags'],
      createdAtMs: Number(batch.created_at),
      counts,
      cost: addCosts([noCost, ...own.map(toCost)]),
    }
  })
}
