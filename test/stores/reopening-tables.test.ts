import { expect, test } from 'vitest'
import type { StoreTables } from '../../src/stores/budget-tables.ts'
import { noTotals } from '../../src/stores/cost-groups.ts'
import { createReopeningTables } from '../../src/stores/reopening-tables.ts'
import { isAboutConnection } from '../../src/stores/sqlite-errors.ts'

const full = Object.assign(new Error('database or disk is full'), { errcode: 13 })
const locked = Object.assign(new Error('database is locked'), { errcode: 5 })

const works = null

/** Tables that open connections whose calls go as listed: one list a connection, and after its end all is well. */
function scriptedTables(...connections: readonly (readonly (Error | null)[])[]) {
  const log: string[] = []
  const scripts = connections.map((calls) => [...calls])
  const open = async (): Promise<StoreTables> => {
    const script = scripts.shift() ?? []
    log.push('open')
    const call = async <Result>(result: Result): Promise<Result> => {
      const failure = script.shift() ?? null
      log.push(failure === null ? 'done' : 'failed')
      if (failure !== null) throw failure
      return result
    }
    return {
      saveAll: () => call([]),
      recordOf: () => call('{}'),
      findIds: () => call([]),
      delete: () => call(true),
      list: () => call({ data: [], next: null }),
      costOf: () => call([]),
      callKeys: () => call(undefined),
      costs: () => call({ data: [], total: noTotals }),
      sumCosts: () => call(false),
      loadAllocations: () => call([]),
      changeAllocations: () => call([]),
      forgetAllocations: () => call(undefined),
      claimKey: () => call({ kind: 'under-way' }),
      completeKey: () => call(undefined),
      releaseKey: () => call(undefined),
      beatKeys: () => call(undefined),
      forgetKeys: () => call(0),
      callRuns: () => call(undefined),
      ping: () => call(undefined),
      close: async () => {
        log.push('close')
      },
    }
  }
  return { log, tables: createReopeningTables(open, isAboutConnection) }
}

test('opens when it is first used, and then no more', async () => {
  const { log, tables } = scriptedTables()
  expect(log).toEqual([])
  await tables.ping()
  await tables.ping()
  expect(log).toEqual(['open', 'done', 'done'])
})

test('after a full disk it opens anew and tries once more, so that nothing is lost when there is room again', async () => {
  const { log, tables } = scriptedTables([works, full])
  await tables.ping()
  await expect(tables.saveAll([])).resolves.toEqual([])
  expect(log).toEqual(['open', 'done', 'failed', 'close', 'open', 'done'])
})

test('rejects when the second try fails as well, and starts afresh with the next call', async () => {
  const { log, tables } = scriptedTables([works, full], [full])
  await tables.ping()
  await expect(tables.saveAll([])).rejects.toBe(full)
  await expect(tables.recordOf('default', 'x')).resolves.toBe('{}')
  expect(log).toEqual(['open', 'done', 'failed', 'close', 'open', 'failed', 'close', 'open', 'done'])
})

test('keeps its connection after an error that says nothing against it', async () => {
  const { log, tables } = scriptedTables([locked])
  await expect(tables.ping()).rejects.toBe(locked)
  await tables.ping()
  expect(log).toEqual(['open', 'failed', 'done'])
})

test('closes what is open, and nothing where nothing is', async () => {
  const { log, tables } = scriptedTables()
  await tables.close()
  expect(log).toEqual([])
  await tables.ping()
  await tables.close()
  expect(log).toEqual(['open', 'done', 'close'])
})
