import { expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { hang, status } from '../support/provider-script.ts'
import { scripted, startService } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const files = databaseFiles()
const path = '/tactics/summarizer'
const task = { task: 'Bees dance to tell each other where flowers are.' }

/** Posts under a key, and tells what does not change when the answer is given again. */
async function post(url: string, { key = 'key-1', body = task as object, signal }: PostOptions = {}) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
    signal: signal ?? null,
  })
  const { headers } = response
  return { status: response.status, replayed: headers.get('idempotency-replayed'), text: await response.text() }
}

interface PostOptions {
  readonly key?: string
  readonly body?: object
  readonly signal?: AbortSignal
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
