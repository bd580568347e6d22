import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { spawnLllm } from '../cli/support/spawn-lllm.ts'
import { readBlocks, readText } from '../docs/markdown.ts'
import { databaseFiles } from '../support/database-files.ts'
import { halfSessions } from '../support/half-sessions.ts'
import { postgresFolder, startPostgres } from '../support/postgres.ts'
import { says } from '../support/scripted-provider.ts'
import { range } from '../support/session-stores.ts'
import { scripted, usage } from './support/service.ts'
import { type SpawnedService, spawnService } from './support/spawned-service.ts'

const files = databaseFiles()
const callers = 8
/** Calls and runs that have ended before a backup begins. */
const endedBefore = 12
const heldCount = 3

/** Runs that have ended without what a run of their state leaves behind. */
const halfRuns = `
  select id from runs where state = 'success'
    and (id not in (select id from sessions) or id not in (select run_id from run_events where type = 'result'))
  union select id from runs where id not in (select run_id from run_payloads)`

/** A provider that keeps some runs waiting: they are under way at the time of the backup, and go on after it is restored. */
async function openProvider() {
  const released = Promise.withResolvers<void>()
  const provider = await scripted(async ({ lastText }) => {
    if (lastText.includes('held')) await released.promise
    return says('Bees are busy.', { usage })
  })
  return { provider, release: () => released.resolve() }
}

/** Calls and runs by many at once, until it is stopped. */
function load(service: SpawnedService) {
  const answered: string[] = []
  const ended: string[] = []
  let isStopped = false
  let progress = Promise.withResolvers<void>()
  function note(list: string[], id: string) {
    list.push(id)
    progress.resolve()
    progress = Promise.withResolvers()
  }
  async function goOn(caller: number) {
    while (!isStopped) {
      const { body } = await service.call('pipeline', 'bees', { tags: { caller: `${caller}` } })
      note(answered, String(body.session_id))
      const { id } = (await service.post<{ readonly id: string }>('/tactics/summarizer/runs', { task: 'bees' })).body
      if ((await service.get(`/runs/${id}/wait`)).body['state'] === 'success') note(ended, id)
    }
  }
  const callersEnded = Promise.all(range(callers).map(goOn))
  return {
    answered,
    ended,
    async until(calls: number, runs: number) {
      while (answered.length < calls || ended.length < runs) await progress.promise
    },
    async stop() {
      isStopped = true
      await callersEnded
    },
  }
}

/** Takes a backup in the middle of it. Gives what had been answered before, and the runs that were under way all the time. */
async function backUpUnderLoad(
  service: SpawnedService,
  provider: Awaited<ReturnType<typeof openProvider>>['provider'],
  backUp: () => Promise<unknown>,
) {
  const held: string[] = []
  for (const index of range(heldCount)) {
    const task = `held ${index}`
    held.push((await service.post<{ readonly id: string }>('/tactics/summarizer/runs', { task })).body.id)
  }
  await provider.until(({ requests }) => requests.length === heldCount)
  const work = load(service)
  await work.until(endedBefore, endedBefore)
  const before = { answered: [...work.answered], ended: [...work.ended] }
  await backUp()
  // With one more than there are callers, at least one call was begun after the backup.
  await work.until(work.answered.length + callers + 1, 0)
  await work.stop()
  service.kill('SIGKILL')
  await service.exited
  return { ...before, held, all: work.answered.length + work.ended.length + heldCount }
}

type Taken = Awaited<ReturnType<typeof backUpUnderLoad>>

function expectWhole({ answered, ended, held, all }: Taken, sessionIds: readonly string[], runIds: readonly string[]) {
  expect(sessionIds).toEqual(expect.arrayContaining([...answered, ...ended]))
  expect(runIds).toEqual(expect.arrayContaining([...ended, ...held]))
  // One moment, and not the end: what came after it is not there.
  expect(sessionIds.length).toBeLessThan(all)
}

const idsOf = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map(({ id }) => String(id))

test('a backup of a SQLite database under load has every session and run of one moment, and a service goes on from it', {
  timeout: 60_000,
}, async () => {
  const { provider, release } = await openProvider()
  const database = files.newPath()
  const backup = `${database}-backup`
  const taken = await backUpUnderLoad(await spawnService({ provider, database }), provider, async () => {
    expect(await spawnLllm(['db', 'backup', backup], { database }).exited).toMatchObject({ code: 0, stderr: '' })
  })

  const restored = files.newPath()
  mkdirSync(dirname(restored))
  copyFileSync(backup, restored)
  const file = new DatabaseSync(restored, { readOnly: true })
  const all = (query: string) => file.prepare(query).all()
  expect(all('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
  expect([all(halfSessions.sqlite), all(halfRuns)]).toEqual([[], []])
  expectWhole(taken, idsOf(all('select id from sessions')), idsOf(all('select id from runs')))
  file.close()

  release()
  const service = await spawnService({ provider, database: restored })
  for (const id of taken.held) {
    expect((await service.get(`/runs/${id}/wait`)).body).toMatchObject({ state: 'success', attempt: 2 })
  }
  for (const id of taken.answered) expect(await service.session(id)).toMatchObject({ state: 'success' })
})

const programs = postgresFolder && dirname(realpathSync(join(postgresFolder, 'postgres')))
const missing = ['pg_dump', 'createdb', 'pg_restore'].find((name) => !existsSync(join(programs ?? '', name)))
const suite = missing === undefined ? 'PostgreSQL' : `PostgreSQL (skipped: there is no ${missing} on this machine)`

describe.skipIf(missing !== undefined)(suite, () => {
  /** Runs what docs/operations.md says, which is what an operator does. */
  async function runDocumented(program: string, env: Readonly<Record<string, string>>) {
    const block = readBlocks(readText('docs/operations.md')).find(({ text }) => text.includes(`${program} --`))
    const path = `${programs}:${process.env['PATH']}`
    await promisify(execFile)('sh', ['-ec', block?.text ?? 'exit 1'], {
      cwd: files.folder,
      env: { ...env, PATH: path },
    })
  }

  test('a dump of it under load is restored with every session and run of one moment', {
    timeout: 60_000,
  }, async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const { provider } = await openProvider()
    const service = await spawnService({ provider, database: postgres.url })
    const taken = await backUpUnderLoad(service, provider, () =>
      runDocumented('pg_dump', { LLLM_DATABASE: postgres.url }),
    )
    const url = postgres.url.replace('/postgres?', '/lllm_restored?')
    await runDocumented('pg_restore', { LLLM_DATABASE: postgres.url, RESTORED_DATABASE: url })
    const restored = new pg.Client({ connectionString: url })
    await restored.connect()
    const all = async (query: string) => (await restored.query(query)).rows
    expect([await all(halfSessions.postgresql), await all(halfRuns)]).toEqual([[], []])
    expectWhole(taken, idsOf(await all('select id from sessions')), idsOf(await all('select id from runs')))
    await restored.end()

    const next = await spawnService({ provider, database: url })
    expect((await next.get('/readyz')).status).toBe(200)
    for (const id of taken.answered) expect(await next.session(id)).toMatchObject({ state: 'success' })
  })
})
