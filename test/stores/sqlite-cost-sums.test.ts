import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import type { CostGroup } from '../../src/domain/session-store.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { range } from '../support/session-stores.ts'
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

test('a report by a tag is read from sums of its own, which a session drops with all others', async () => {
  const { store, file, totals } = await openStore()
  const red = buildSession({ id: sessionId(9), startedAtMs: pastMs + 1, tags: { team: 'red' } })
  await store.save(red)
  const byTeam = async () => {
    const { data } = await store.costs({ startedBeforeMs: pastMs + 72 * hourMs }, ['tag.team'])
    return data.map(({ keys, llmCalls }) => [...keys, llmCalls])
  }
  expect(await byTeam()).toEqual([
    ['red', 1],
    [null, 4],
  ])
  file.exec(`update cost_sums set llm_calls = llm_calls + 100 where tag_key = 'team' and tag_value = 'red'`)
  expect(await byTeam()).toEqual([
    ['red', 101],
    [null, 4],
  ])
  const { total } = await store.costs({ startedBeforeMs: pastMs + 72 * hourMs, tags: { team: 'red' } }, ['tag.team'])
  expect(total.llmCalls).toBe(101)
  expect(await totals()).toEqual([5, 5])
  await store.delete(red.id)
  expect(await byTeam()).toEqual([[null, 4]])
  expect(await totals()).toEqual([4, 4])
})

test('nothing is summed for a tag that few sessions have, for several tags, or for more tags than 32', async () => {
  const { store, file } = await openStore()
  const keys = () => file.prepare('select distinct tag_key from cost_spans order by tag_key').all()
  await store.costs({ tags: { team: 'red' } }, ['agent'])
  await store.costs({}, ['tag.team', 'tag.env'])
  expect(keys()).toEqual([])
  for (const number of range(40)) await store.costs({}, [`tag.tag-${number}`])
  expect(keys()).toHaveLength(32)
  await store.costs({}, ['agent'])
  expect(keys()).toHaveLength(33)
})

test('of a tag with more than 32 values in an hour or a day, the values are summed, and nothing else is told apart', async () => {
  const { store, file } = await openStore()
  const runs = range(40).map((run) =>
    buildSession({ id: sessionId(100 + run), startedAtMs: pastMs + (run % 2) * 30 * hourMs, tags: { run: `${run}` } }),
  )
  const more = range(20).map((run) =>
    buildSession({ id: sessionId(200 + run), startedAtMs: pastMs + 29 * hourMs, tags: { run: `more-${run}` } }),
  )
  await Promise.all([...runs, ...more].map((session) => store.save(session)))
  const before = { startedBeforeMs: pastMs + 48 * hourMs }
  const callsOf = async (...groups: readonly CostGroup[]) => (await store.costs(before, groups)).total.llmCalls
  expect(await callsOf('tag.run')).toBe(63)
  const byDetail = file.prepare('select detail, span_ms, starts_at from cost_spans where detail < 2').all()
  expect(byDetail).toEqual([{ detail: 1, span_ms: 24 * hourMs, starts_at: pastMs + 24 * hourMs }])
  file.exec('update cost_sums set llm_calls = llm_calls + 100 where span_ms = 86400000')
  expect(await callsOf('tag.run', 'day')).toBe(63 + 21 * 100 + 41 * 100)
  expect(await callsOf('tag.run', 'agent')).toBe(63 + 21 * 100)
})

test('a tag with more than 10,000 values in an hour is left to be read', async () => {
  const { store, file } = await openStore()
  const ids = `with recursive runs (run) as (select 1 union all select run + 1 from runs where run < 10001)`
  const columns = file
    .prepare('select name from pragma_table_info(?)')
    .all('sessions')
    .map(({ name }) => String(name))
  const own = (column: string) => (column === 'id' ? `'run-' || run` : column)
  file.exec(
    `insert into sessions (${columns}) ${ids} select ${columns.map(own)} from runs, (select * from sessions limit 1)`,
  )
  file.exec(`insert into session_tags (tenant, session_id, key, value, started_at) ${ids}
    select tenant, 'run-' || run, 'run', run, started_at from runs, (select * from sessions limit 1)`)
  expect((await store.costs({}, ['tag.run'])).total.sessions).toBe(10_005)
  const unsummed = file.prepare('select span_ms from cost_spans where detail = 0 order by span_ms').all()
  expect(unsummed).toEqual([{ span_ms: hourMs }, { span_ms: 24 * hourMs }])
})

test('a tag that many sessions have is summed for a report of one of its values', async () => {
  const { store, file } = await openStore()
  const many = range(2_001).map((number) =>
    buildSession({ id: sessionId(100 + number), startedAtMs: pastMs + number, tags: { team: 'red' } }),
  )
  await Promise.all(many.map((session) => store.save(session)))
  expect((await store.costs({ tags: { team: 'red' } }, ['agent'])).total.sessions).toBe(2_001)
  expect(file.prepare('select distinct tag_key from cost_spans').all()).toEqual([{ tag_key: 'team' }])
})
