import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'

/** Prepared statements kept per connection. Filters and groups make different texts; the oldest go first. */
const statementsMax = 128

/** Lets kysely speak to node:sqlite. The database is opened by whoever makes the dialect, and closed by `destroy()`. */
export function createNodeSqliteDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => new NodeSqliteDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}

/** SQLite rolls DDL back like anything else, so migrations are one transaction, and two processes take turns. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true
  }
}

class NodeSqliteDriver implements Driver {
  readonly #database: DatabaseSync
  readonly #connection: NodeSqliteConnection

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#connection = new NodeSqliteConnection(database)
  }

  async init() {}

  async acquireConnection() {
    return this.#connection
  }

  /**
   * Immediate: a transaction that starts by reading cannot wait for the lock later, it would fail at once. One that only reads needs no
   * lock, and sees what was there at its first look.
   */
  async beginTransaction(_connection: DatabaseConnection, { accessMode }: TransactionSettings) {
    await this.#connection.executeQuery(accessMode === 'read only' ? begin : beginImmediate)
  }

  async commitTransaction() {
    await this.#connection.executeQuery(commit)
  }

  /** After some errors SQLite has rolled back by itself, and saying it again would hide the first error. */
  async rollbackTransaction() {
    if (this.#database.isTransaction) await this.#connection.executeQuery(rollback)
  }

  async releaseConnection() {}

  async destroy() {
    this.#database.close()
  }
}

const begin = CompiledQuery.raw('begin')
const beginImmediate = CompiledQuery.raw('begin immediate')
const commit = CompiledQuery.raw('commit')
const rollback = CompiledQuery.raw('rollback')

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<Result>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Result>> {
    const statement = this.#prepare(sql)
    const values = parameters as readonly SQLInputValue[]
    if (statement.columns().length > 0) return { rows: statement.all(...values) as Result[] }
    return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) }
  }

  // biome-ignore lint/correctness/useYield: kysely asks for a generator, and nothing here is large enough to stream.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('This dialect does not stream.')
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const [oldest] = this.#statements.keys()
    if (oldest !== undefined && this.#statements.size >= statementsMax) this.#statements.delete(oldest)
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
