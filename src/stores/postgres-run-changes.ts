import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { RunChange } from '../domain/run-store.ts'
import { connectTimeoutMs } from './postgres-database.ts'
import { localRunChanges, type RunChanges } from './run-changes.ts'

const channel = 'lllm_runs'
const reconnectAfterMs = 1_000
/** Changes that wait to be told to other processes. Beyond this they find out by themselves. */
const waitingMax = 10_000

export interface PostgresRunChanges extends RunChanges {
  close(): Promise<void>
}

/**
 * Changes of all processes that share a database, by LISTEN and NOTIFY. They may be missed while a connection is away, and where a
 * proxy shares connections out by transaction; so whoever waits for something looks again from time to time.
 */
export function openPostgresRunChanges(url: string, pool: pg.Pool): PostgresRunChanges {
  const local = localRunChanges()
  const origin = randomUUID()
  let waiting = new Set<string>()
  let isTelling = false
  let listener: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  async function tellOthers() {
    isTelling = true
    while (waiting.size > 0 && !isClosed) {
      const payloads = [...waiting]
      waiting = new Set()
      await pool
        .query(`select pg_notify('${channel}', payload) from unnest($1::text[]) as payload`, [payloads])
        .catch(() => undefined)
    }
    isTelling = false
  }

  function listen() {
    if (isClosed) return
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      application_name: 'lllm listener',
    })
    listener = client
    const again = () => {
      if (listener !== client || isClosed) return
      listener = undefined
      client.end().catch(() => undefined)
      timer = setTimeout(listen, reconnectAfterMs).unref()
    }
    client.on('error', again)
    client.on('end', again)
    client.on('notification', ({ payload = '' }) => hear(payload))
    client
      .connect()
      .then(() => client.query(`listen ${channel}`))
      .catch(again)
  }

  function hear(payload: string) {
    const [from, kind, runId] = payload.split(' ')
    if (from === origin) return
    if (kind === 'work' || kind === 'cancel') local.tell({ kind })
    else if (kind === 'run' && runId !== undefined) local.tell({ kind, runId })
  }

  listen()
  return {
    watch: local.watch,
    tell(change: RunChange) {
      local.tell(change)
      if (waiting.size >= waitingMax) return
      waiting.add(`${origin} ${change.kind}${change.kind === 'run' ? ` ${change.runId}` : ''}`)
      if (!isTelling) void tellOthers()
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      await listener?.end().catch(() => undefined)
    },
  }
}
