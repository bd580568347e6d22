import { Socket } from 'node:net'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { LllmError } from '../domain/errors.ts'
import { isAboutStartup, PostgresUnusable, toStoreError } from './postgres-errors.ts'

/** Connections of one process. PostgreSQL has 100 by default, for all of them. */
const connectionsMax = 10
export const connectTimeoutMs = 5_000
/** What the server gives up: a statement, its wait for a lock, and a transaction whose process says nothing. */
const statementTimeoutMs = 30_000
const lockTimeoutMs = 10_000
/**
 * A connection on which nothing moves for so long is lost: the server would have given the statement up before. Without this,
 * a server that vanished from the network is only given up by the system, after a quarter of an hour.
 */
const silenceMaxMs = 35_000

export interface PoolOptions {
  /** For changes of the schema, which take as long as they take: one connection, whose statements have all the time. */
  readonly isPatient?: boolean
  /** Whether a proxy is in between that lets nobody set timeouts at the server. Its own hold then, and the silence that is borne here. */
  readonly isProxied?: boolean
  /** Of tests: half a minute is long. */
  readonly silenceMs?: number
}

/**
 * Opens a pool and its first connection, in the way that what is in between allows: PgBouncer refuses whoever sets timeouts.
 *
 * @throws whatever the driver says when there is no connection to be had.
 */
export async function connectPool(url: string, options: PoolOptions = {}): Promise<pg.Pool> {
  const pool = openPool(url, options)
  try {
    const client = await pool.connect()
    client.release()
    return pool
  } catch (error) {
    await pool.end()
    if (options.isProxied || !isAboutStartup(error)) throw error
    return connectPool(url, { ...options, isProxied: true })
  }
}

/** A pool of connections. One that breaks is replaced by the next that is needed. */
export function openPool(
  url: string,
  { isPatient = false, isProxied = false, silenceMs = silenceMaxMs }: PoolOptions = {},
): pg.Pool {
  const given = isPatient ? {} : { statement_timeout: statementTimeoutMs, lock_timeout: lockTimeoutMs }
  // Whoever is frozen in a transaction does not hold up the others.
  const timeouts = isProxied ? {} : { ...given, idle_in_transaction_session_timeout: statementTimeoutMs }
  const pool = new pg.Pool({
    connectionString: url,
    max: isPatient ? 1 : connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    ...timeouts,
    keepAlive: true,
    application_name: 'lllm',
    // A pool that nobody uses keeps no process alive.
    allowExitOnIdle: true,
  })
  // An idle connection that breaks tells of it here, and would end the process if nobody listened. Whoever asks next is told.
  pool.on('error', () => {})
  pool.on('connect', (client: pg.PoolClient & Pick<pg.Client, 'connection'>) => {
    // One that breaks between two statements of a transaction tells of it by itself; the next statement fails.
    client.on('error', () => {})
    const { stream } = client.connection
    if (isPatient || !(stream instanceof Socket)) return
    stream.setTimeout(silenceMs, () => stream.destroy(new PostgresUnusable('PostgreSQL does not answer.')))
  })
  return pool
}

export function openKysely<Database>(pool: pg.Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
}

/**
 * Where a database is, as far as that may be shown: host, port and name.
 *
 * @throws PostgresUnusable when that cannot be read from the URL.
 */
export function addressOf(url: string): string {
  try {
    // The driver's own reading, so that what is shown is what is used.
    const { host, port, database = '' } = new pg.Client({ connectionString: url })
    return host.startsWith('/') ? `${database} at the socket in ${host}` : `${host}:${port}/${database}`
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause && cause.syscall === 'open') {
      throw new PostgresUnusable('A file that LLLM_DATABASE names cannot be read: sslrootcert, sslcert or sslkey.')
    }
    throw new PostgresUnusable(
      'LLLM_DATABASE cannot be read as a URL. Write what is special in a user or a password by its code: @ as %40, : as %3A, / as %2F, # as %23, ? as %3F, % as %25.',
    )
  }
}

/** Does a piece of work whose errors name the database that it was about, without a password. */
export async function withAddress<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  let address: string | undefined
  try {
    address = addressOf(url)
    return await work()
  } catch (error) {
    const { message } = toStoreError(error)
    const told = address === undefined ? message : `The database ${address}: ${message}`
    throw new LllmError('store-unavailable', told, {}, { cause: error })
  }
}
