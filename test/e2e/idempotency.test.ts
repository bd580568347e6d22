import { expect, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { databaseFiles } from '../support/database-files.ts'
import { hang, status } from '../support/provider-script.ts'
import { range } from '../support/session-stores.ts'
import { scripted, startService } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const files = databaseFiles()
const task = { task: 'Bees dance to tell each other where flowers are.' }

/** Posts under a key, and tells what does not change when the answer is given again. */
async function post(url: string, { route = '', key = 'key-1', body = task }: PostOptions = {}) {
  const response = await fetch(`${url}/tactics/summarizer${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })
  const { status: code, headers } = response
  const [location, replayed] = [headers.get('location'), headers.get('idempotency-replayed')]
  return { status: code, location, replayed, text: await response.text() }
}

interface PostOptions {
  readonly route?: '' | '/runs' | '/batches'
  readonly key?: string
  readonly body?: object
}

test('an answer is given again after a restart, and nothing is paid again', async () => {
  const provider = await scripted(({ lastText }) => (lastText.includes('fail') ? status(400) : 'Bees dance.'))
  const database = files.newPath()
  const before = await startService({ provider, database })
  const done = await post(before.url)
  const failed = await post(before.url, { key: 'key-2', body: { task: 'fail' } })
  expect([done.status, failed.status]).toEqual([200, 502])
  await before.close()

  const after = await startService({ provider, database })
  expect(await post(after.url)).toEqual({ ...done, replayed: 'true' })
  expect(await post(after.url, { key: 'key-2', body: { task: 'fail' } })).toEqual({ ...failed, replayed: 'true' })
  expect(await post(after.url, { key: 'key-2' })).toMatchObject({ status: 422 })
  expect(provider.requests).toHaveLength(2)
})

test('a kill -9 in the middle of a call leaves its key free: it is made anew at once', async () => {
  let isHanging = true
  const provider = await scripted(() => (isHanging ? hang() : 'Bees dance.'))
  const database = files.newPath()
  const killed = await spawnService({ provider, database })
  const lost = post(killed.url)
  await provider.until(({ inFlight }) => inFlight === 1)
  expect(await post(killed.url)).toMatchObject({ status: 409 })
  killed.kill('SIGKILL')
  await expect(lost).rejects.toThrow()
  await killed.exited

  isHanging = false
  const restarted = await spawnService({ provider, database })
  const done = await post(restarted.url)
  expect(done).toMatchObject({ status: 200, replayed: null })
  expect(await post(restarted.url)).toEqual({ ...done, replayed: 'true' })
  expect(provider.requests).toHaveLength(2)
})

test('a hundred requests for a run with one key at once make one run', async () => {
  const provider = await scripted(() => 'Bees dance.')
  const service = await startService({ provider, database: files.newPath() })
  const answers = await Promise.all(range(100).map(() => post(service.url, { route: '/runs' })))
  expect(new Set(answers.map(({ status: code, location }) => `${code} ${location}`)).size).toBe(1)
  const again = await post(service.url, { route: '/runs' })
  expect(again).toMatchObject({ status: 202, location: answers[0]?.location, replayed: 'true' })
  const { body } = await service.get('/runs')
  expect(body['data']).toMatchObject([{ id: JSON.parse(again.text).id }])
  expect((await service.get(`${again.location}/wait`)).body).toMatchObject({ state: 'success' })
  expect(provider.requests).toHaveLength(1)
})

test('many requests for a batch of runs with one key at once make one batch, with each run once', async () => {
  const service = await startService({ database: files.newPath() })
  const asked = { route: '/batches', body: { tasks: ['one', 'two', 'three'] } } as const
  const answers = await Promise.all(range(20).map(() => post(service.url, asked)))
  expect(new Set(answers.map(({ status: code, location }) => `${code} ${location}`)).size).toBe(1)
  const { data } = (await service.get('/runs')).body as { readonly data: readonly object[] }
  expect(data).toHaveLength(3)
})

test.each([
  ['/runs', task],
  ['/batches', { tasks: ['one', 'two', 'three'] }],
] as const)('what was submitted to %s is found by its key, although the answer got lost', async (route, body) => {
  const provider = await scripted(() => 'Bees dance.')
  const database = files.newPath()
  const before = await startService({ provider, database })
  // As after a kill between the two transactions: the work is stored, and its answer is not.
  const { idempotency } = before.runtime
  Object.assign(idempotency, { complete: () => Promise.reject(new LllmError('store-unavailable', 'It is gone.')) })
  const lost = await post(before.url, { route, body })
  expect(lost.status).toBe(202)
  await before.close()

  const after = await startService({ provider, database })
  const found = await post(after.url, { route, body })
  expect(found).toMatchObject({ status: 202, location: lost.location, replayed: null })
  expect(await post(after.url, { route, body })).toEqual({ ...found, replayed: 'true' })
  const { data } = (await after.get('/runs')).body as { readonly data: readonly object[] }
  expect(data).toHaveLength(route === '/runs' ? 1 : 3)
})
