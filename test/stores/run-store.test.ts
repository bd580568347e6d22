import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { runStoreContract } from '../contracts/run-store.ts'
import { runTurnsContract } from '../contracts/run-turns.ts'
import { scheduleTickContract } from '../contracts/schedule-ticks.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { newPath } = databaseFiles()

for (const contract of [runStoreContract, runTurnsContract, scheduleTickContract]) {
  contract('memory', async () => {
    const sessions = createMemorySessionStore()
    const { runs } = createMemoryRuns(sessions)
    return { stores: [runs, runs], sessions, close: async () => {} }
  })

  contract('sqlite', async () => {
    const store = await openSqliteHere(newPath())
    return { stores: [store.runs, store.runs], sessions: store, close: () => store.close() }
  })
}

test('one process at a time works on the runs of a file; the next may when that has let go of it', async () => {
  const path = newPath()
  const first = await openSqliteSessionStore({ path })
  const second = await openSqliteSessionStore({ path })
  await first.runs.own()
  await first.runs.own()
  await expect(second.runs.own()).rejects.toMatchObject({ code: 'store-unavailable' })
  await expect(second.runs.own()).rejects.toThrow(/Another process works on the runs of .*Stop it first/)
  // It may look all the same.
  expect((await second.list({}, 10)).data).toEqual([])
  await first.close()
  await second.runs.own()
  await second.close()
})

test('a file that cannot be locked is no other process, and says what is wrong', async () => {
  const path = newPath()
  const store = await openSqliteSessionStore({ path })
  mkdirSync(`${path}-owner`)
  const refused = store.runs.own()
  await expect(refused).rejects.toMatchObject({ code: 'store-unavailable', data: { file: path } })
  await expect(refused).rejects.toThrow(/-owner cannot be used: The database file cannot be opened/)
  await store.close()
})
