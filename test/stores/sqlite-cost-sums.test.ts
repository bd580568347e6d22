import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const { newPath } = databaseFiles()
const hourMs = 3_600_000
const pastMs = Date.UTC(2021, 1, 27)

/** A store of some days long past, and its file as another program sees it. */
async function openStore() {
  const path = newPath()
  const store = await openSqliteSessionStore({ path })
  const days = [0, 30, 40, 60].map((hours, index) =>
    buildSession({ id: sessionId(index), startedAtMs: pastMs + hours * hourMs }),
  )
  await Promise.all(days.map((session) => store.save(session)))
  const file = new DatabaseSync(path)
  onTestFinished(async () => {
    file.close()
    await store.close()
  })
  const totals = async () => {
    const { total } = await store.costs({ startedBeforeMs: pastMs + 72 * hourMs }, ['agent'])
    return [total.sessions, total.llmCalls]
  }
  const spans = () => file.prepare('select span_ms, starts_at from cost_spans order by starts_at').all()
  return { store, file, totals, spans }
}

test('a report of days that are over is read from their sums, and summed once', async () => {
  const { file, totals } = await openStore()
  expect(await totals()).toEqual([4, 4])
  file.exec('update cost_sums set llm_calls = llm_calls + 100 where span_ms = 86400000')
  expect(await totals()).toEqual([4, 304])
})

test('a session drops the sums of its hour and its day, and no others', async () => {
  const { store, totals, spans } = await openStore()
  await totals()
  const before = spans()
  await store.save(buildSession({ id: sessionId(9), startedAtMs: pastMs + 30 * hourMs + 5 }))
  const dropped = before.filter(({ starts_at }) => !spans().some((span) => span['starts_at'] === starts_at))
  expect(dropped.map(({ starts_at }) => (Number(starts_at) - pastMs) / hourMs).sort()).toEqual([30])
  expect(before.length - spans().length).toBe(2)
  expect(await totals()).toEqual([5, 5])
  await store.delete(sessionId(9))
  expect(await totals()).toEqual([4, 4])
})

test('whoever else deletes sessions drops their sums as well', async () => {
  const { file, totals } = await openStore()
  await totals()
  file.exec(`delete from sessions where started_at >= ${pastMs + 40 * hourMs}`)
  expect(await totals()).toEqual([2, 2])
})

test('hours that have just ended are not summed yet', async () => {
  const { store, file } = await openStore()
  await store.save(buildSession({ id: sessionId(9), startedAtMs: Date.now() - 1 }))
  expect((await store.costs({}, ['agent'])).total.sessions).toBe(5)
  const { last } = file.prepare('select max(starts_at + span_ms) as last from cost_spans').get() ?? {}
  expect(Number(last)).toBeLessThanOrEqual(Date.now() - hourMs)
  expect(Number(last)).toBeGreaterThan(Date.now() - 3 * hourMs)
})
