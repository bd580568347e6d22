import { type CompiledQuery, type Kysely, sql, type Transaction } from 'kysely'
import type { Row, SessionRows, SqlValue } from './session-rows.ts'
import { type SessionDatabase, tableColumns } from './sql-schema.ts'

type Table = keyof SessionDatabase

/**
 * Rows per statement, the largest first. Few sizes, so that each text is compiled and prepared once; and at most 21
 * columns times 64 rows, well below the parameters that a statement may have.
 */
const rowsPerStatement = [64, 16, 4, 1] as const

/** Writes a batch of sessions in one transaction, of its own or one that is under way. An id that is already there is replaced, the last of a batch wins. */
export function createBatchWriter(db: Kysely<SessionDatabase>) {
  const compiled = new Map<string, CompiledQuery>()

  function compileOnce(name: string, compile: () => CompiledQuery): CompiledQuery {
    const known = compiled.get(name) ?? compile()
    compiled.set(name, known)
    return known
  }

  async function inChunks(
    transaction: Transaction<SessionDatabase>,
    rows: readonly Row[],
    queryFor: (count: number) => CompiledQuery,
  ) {
    let done = 0
    while (done < rows.length) {
      const count = rowsPerStatement.find((size) => size <= rows.length - done) ?? 1
      const parameters = rows.slice(done, done + count).flat()
      await transaction.executeQuery({ ...queryFor(count), parameters })
      done += count
    }
  }

  const insert = (transaction: Transaction<SessionDatabase>, table: Table, rows: readonly Row[]) =>
    inChunks(transaction, rows, (count) =>
      compileOnce(`insert ${table} ${count}`, () => compileInsert(db, table, count)),
    )

  return async (batch: readonly SessionRows[], within?: Transaction<SessionDatabase>): Promise<void> => {
    const sessions = withoutRepeats(batch)
    const writeIn = async (transaction: Transaction<SessionDatabase>) => {
      const ids = sessions.map(({ id }) => [id])
      await inChunks(transaction, ids, (count) => compileOnce(`delete ${count}`, () => compileDelete(db, count)))
      await insert(
        transaction,
        'sessions',
        sessions.map(({ session }) => session),
      )
      await insert(
        transaction,
        'session_payloads',
        sessions.map(({ payload }) => payload),
      )
      await insert(
        transaction,
        'cost_lines',
        sessions.flatMap(({ lines }) => lines),
      )
      await insert(
        transaction,
        'session_tags',
        sessions.flatMap(({ tags }) => tags),
      )
    }
    if (within === undefined) await db.transaction().execute(writeIn)
    else await writeIn(within)
  }
}

function withoutRepeats(batch: readonly SessionRows[]): readonly SessionRows[] {
  const byId = new Map(batch.map((rows) => [rows.id, rows]))
  return byId.size === batch.length ? batch : [...byId.values()]
}

/** Stands for a value while a statement is compiled. */
const placeholder: SqlValue = 0

function compileInsert(db: Kysely<SessionDatabase>, table: Table, count: number): CompiledQuery {
  const columns = tableColumns[table]
  const row = sql`(${sql.join(columns.map(() => placeholder))})`
  const names = sql.join(columns.map((column) => sql.ref(column)))
  return sql`insert into ${sql.table(table)} (${names}) values ${sql.join(Array(count).fill(row))}`.compile(db)
}

function compileDelete(db: Kysely<SessionDatabase>, count: number): CompiledQuery {
  return sql`delete from sessions where id in (${sql.join(Array(count).fill(placeholder))})`.compile(db)
}
