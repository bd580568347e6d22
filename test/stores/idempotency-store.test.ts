import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { createMemoryIdempotencyStore } from '../../src/stores/memory-idempotency-store.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { idempotencyStoreContract } from '../contracts/idempotency-store.ts'
import { databaseFiles } from '../support/database-files.ts'

const { newPath } = databaseFiles()

function openMemory() {
  let nowMs = Date.UTC(2026, 10, 2)
  return {
    store: createMemoryIdempotencyStore(() => nowMs),
    async pass(durationMs: number) {
      nowMs += durationMs
    },
  }
}

const closings: (() => Promise<void>)[] = []
afterAll(() => Promise.all(closings.map((close) => close())))

async function openSqlite(path: string) {
  const store = await openSessionStore(path)
  const close = () => store.close()
  closings.push(close)
  return { store: store.idempotency, close }
}

function execute(path: string, statement: string) {
  const database = new DatabaseSync(path)
  database.exec(statement)
  database.close()
}

idempotencyStoreContract('memory', async () => openMemory())

const sqlitePath = newPath()
let sqlite: ReturnType<typeof openSqlite> | undefined

// A thread takes longer to start than a test takes: all of them use one.
idempotencyStoreContract('sqlite', async () => {
  sqlite ??= openSqlite(sqlitePath)
  const { store } = await sqlite
  execute(sqlitePath, 'delete from idempotency_keys')
  return {
    store,
    /** Nothing in the file tells the time but what is compared with it. */
    async pass(durationMs) {
      const earlier = (column: string) => `${column} = ${column} - ${durationMs}`
      execute(sqlitePath, `update idempotency_keys set ${earlier('expires_at')}, ${earlier('alive_until')}`)
    },
  }
})

const request = { keyHash: 'a', fingerprint: 'f', workId: '1', joins: false }
const answer = { status: 200, headers: { location: '/runs/1' }, body: '{}' }

describe('memory: keys', () => {
  test('beyond a number make room, the oldest first', async () => {
    const store = createMemoryIdempotencyStore(() => 0, 2)
    const claim = (keyHash: string) => store.claim({ ...request, keyHash, workId: crypto.randomUUID() })
    for (const keyHash of ['1', '2', '3']) expect(await claim(keyHash)).toMatchObject({ kind: 'begun' })
    expect(await claim('3')).toEqual({ kind: 'under-way' })
    expect(await claim('1')).toMatchObject({ kind: 'begun' })
  })
})

describe('sqlite: keys of an earlier start', () => {
  test('of calls that had no answer are free at once', async () => {
    const path = newPath()
    const before = await openSqlite(path)
    await before.store.claim(request)
    await before.close()
    const after = await openSqlite(path)
    expect(await after.store.claim({ ...request, workId: '2' })).toEqual({ kind: 'begun', workId: '2' })
  })

  test('keep their answers', async () => {
    const path = newPath()
    const before = await openSqlite(path)
    await before.store.claim(request)
    await before.store.complete(request, answer)
    await before.close()
    const after = await openSqlite(path)
    expect(await after.store.claim({ ...request, workId: '2' })).toEqual({ kind: 'answered', answer })
  })

  test('of work that outlives its request lead to that', async () => {
    const path = newPath()
    const before = await openSqlite(path)
    await before.store.claim({ ...request, joins: true })
    await before.close()
    const after = await openSqlite(path)
    const claim = await after.store.claim({ ...request, workId: '2', joins: true })
    expect(claim).toEqual({ kind: 'joined', workId: '1' })
  })

  test('are found without a walk through all keys', async () => {
    const path = newPath()
    await (await openSqlite(path)).close()
    const database = new DatabaseSync(path)
    const plan = (query: string) =>
      database
        .prepare(`explain query plan ${query}`)
        .all()
        .map(({ detail }) => String(detail))
        .join('\n')
    expect(plan('select * from idempotency_keys where expires_at <= 1 order by expires_at limit 50')).toContain(
      'USING INDEX idempotency_keys_by_end',
    )
    expect(plan(`update idempotency_keys set alive_until = 1 where owner = 'a' and status is null`)).toContain(
      'idempotency_keys_under_way',
    )
    database.close()
  })
})
