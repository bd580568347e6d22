// Lists, costs and single sessions of a store that holds very many of them, asked through the ports of the stores, one question after
// another: what a service waits for before it writes its answer. `npm run bench:sessions -- [count] [sqlite|postgres]`; without a
// kind, both. BENCH_FOLDER keeps the SQLite file there for the next run, BENCH_POSTGRES names an empty database to use instead of
// a PostgreSQL of its own, whose settings are the defaults, without fsync.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { CostGroup, SessionFilter, SessionPosition, SessionStore } from '../src/domain/session-store.ts'
import { openKysely, openPool } from '../src/stores/postgres-database.ts'
import { openPostgresStore } from '../src/stores/postgres-store.ts'
import { type SessionRows, toSessionRows } from '../src/stores/session-rows.ts'
import { createBatchWriter } from '../src/stores/sql-batch-writer.ts'
import type { SessionDatabase } from '../src/stores/sql-schema.ts'
import { openSqliteTables } from '../src/stores/sqlite-database.ts'
import { openSqliteSessionStore } from '../src/stores/sqlite-session-store.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { dayMs, makeSessions } from './made-sessions.ts'
import { printTimes, printTimesHead, timeAnswers } from './times.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const kinds = process.argv[3] === undefined ? ['sqlite', 'postgres'] : [process.argv[3]]
const questionsEach = Number(process.env['QUESTIONS'] ?? 200)
const batchSize = 1_024
/** Batches under way at once, where a database takes several. */
const writersMax = 2
const reportDays = 30

const nowMs = Date.now()

async function fill(write: (batch: readonly SessionRows[]) => Promise<unknown>) {
  const startedAtMs = performance.now()
  const sessions = makeSessions(count, nowMs)
  await Promise.all(
    Array.from({ length: writersMax }, async () => {
      for (;;) {
        const batch: SessionRows[] = []
        while (batch.length < batchSize) {
          const next = sessions.next()
          if (next.done) break
          batch.push(toSessionRows(next.value))
        }
        if (batch.length === 0) return
        await write(batch)
      }
    }),
  )
  const seconds = (performance.now() - startedAtMs) / 1_000
  process.stdout.write(`${count} sessions written in ${seconds.toFixed(0)} s\n`)
}

async function measure(name: string, ask: () => Promise<unknown>, questions = questionsEach) {
  printTimes(name, await timeAnswers(questions, 1, ask))
}

async function measureAll(store: SessionStore) {
  printTimesHead(`${store.kind}, ${count} sessions`)
  const size = 50
  const deep: SessionPosition = { startedAtMs: nowMs - 45 * dayMs, id: '~' }
  const lists: Readonly<Record<string, SessionFilter>> = {
    'no filter': {},
    'by tactic': { tactic: 'researcher' },
    'by state': { state: 'cancelled' },
    'by a common tag': { tags: { env: 'live' } },
    'by a rare tag': { tags: { customer: 'c7' } },
    'by tactic and state': { tactic: 'researcher', state: 'cancelled' },
    'by tactic and tag': { tactic: 'researcher', tags: { customer: 'c7' } },
  }
  for (const [name, filter] of Object.entries(lists)) {
    await measure(`list of ${size}, ${name}`, () => store.list(filter, size))
    await measure(`list of ${size}, ${name}, deep cursor`, () => store.list(filter, size, deep))
  }
  const { data } = await store.list({}, 200, deep)
  let next = 0
  await measure('one session', () => store.get(data[next++ % data.length]?.id ?? ''))
  await measureCosts(store)
}

async function measureCosts(store: SessionStore) {
  const window: SessionFilter = { startedAfterMs: nowMs - reportDays * dayMs, startedBeforeMs: nowMs }
  const groupings: readonly (readonly CostGroup[])[] = [
    ['tactic'],
    ['model'],
    ['tactic', 'model'],
    ['day'],
    ['agent'],
    ['tactic_id', 'agent', 'model', 'day'],
  ]
  await measure(`costs of ${reportDays} days, the first question`, () => store.costs(window, ['tactic']), 1)
  for (const groups of groupings) {
    await measure(`costs of ${reportDays} days by ${groups.join(', ')}`, () => store.costs(window, groups))
  }
  await measure('  of one tactic, by model', () => store.costs({ ...window, tactic: 'researcher' }, ['model']))
  await measure('  of one state, by model', () => store.costs({ ...window, state: 'cancelled' }, ['model']))
  await measure('  by tag team, the first question', () => store.costs(window, ['tag.team']), 1)
  await measure('  by tag team', () => store.costs(window, ['tag.team']))
  await measure('  by tag team, model and day', () => store.costs(window, ['tag.team', 'model', 'day']))
  const live: SessionFilter = { ...window, tags: { env: 'live' } }
  await measure('  of a common tag, the first question', () => store.costs(live, ['model']), 1)
  await measure('  of a common tag, by model', () => store.costs(live, ['model']))
  await measure('  of a common tag, by tactic_id, agent, model, day', () =>
    store.costs(live, ['tactic_id', 'agent', 'model', 'day']),
  )
  // These are read from the sessions: few questions say enough.
  const few = Math.ceil(questionsEach / 20)
  const rare: SessionFilter = { ...window, tags: { customer: 'c7' } }
  await measure('  of a rare tag, by model', () => store.costs(rare, ['model']), few)
  await measure('  by a tag of very many values, the first question', () => store.costs(window, ['tag.customer']), 1)
  await measure('  by a tag of very many values', () => store.costs(window, ['tag.customer']), few)
  await measure('  of a rare tag, by model, afterwards', () => store.costs(rare, ['model']), few)
}

async function benchSqlite(folder: string) {
  const path = join(folder, `${count}.db`)
  if (!existsSync(path)) {
    const tables = await openSqliteTables({ path })
    await fill((batch) => tables.saveAll(batch))
    await tables.close()
  }
  const store = await openSqliteSessionStore({ path })
  await measureAll(store)
  await store.close()
}

async function benchPostgres(url: string) {
  const store = await openPostgresStore(url)
  if ((await store.list({}, 1)).data.length === 0) {
    const db = openKysely<SessionDatabase>(openPool(url))
    await fill(createBatchWriter(db))
    // What PostgreSQL does by itself within a minute.
    await sql`analyze sessions, session_tags, cost_lines`.execute(db)
    await db.destroy()
  }
  await measureAll(store)
  await store.close()
}

const given = process.env['BENCH_FOLDER']
const folder = given ?? mkdtempSync(join(tmpdir(), 'lllm-bench-'))
try {
  if (kinds.includes('sqlite')) await benchSqlite(folder)
  const running = process.env['BENCH_POSTGRES']
  if (kinds.includes('postgres') && running !== undefined) await benchPostgres(running)
  else if (kinds.includes('postgres')) {
    const own = await startPostgres()
    await benchPostgres(own.url).finally(() => own.stop())
  }
} finally {
  if (given === undefined) rmSync(folder, { recursive: true, force: true })
}
