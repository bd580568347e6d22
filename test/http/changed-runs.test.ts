import { expect, test } from 'vitest'
import type { Scope } from '../../src/domain/caller.ts'
import { farAway, runClient } from './run-client.ts'
import { openService } from './service.ts'

const url = 'https://example.org/secret-path'

/** A service whose callers have the scopes that their keys name. */
async function open() {
  const service = await openService({
    authenticator: {
      isOpen: async () => false,
      authenticate: async (credential) => ({
        tenant: 'default',
        keyId: credential,
        scopes: (credential === 'reads' ? ['tactics:*:call', 'sessions:read'] : ['tactics:*:call']) as Scope[],
        limits: {},
      }),
    },
    judgeWebhook: () => undefined,
  })
  const client = (key: string) => runClient(service, { authorization: `Bearer ${key}` })
  return { reader: client('reads'), caller: client('calls'), service }
}

const written = { tags: { team: 'red' }, metadata: { row: 7 }, webhook: { url }, run_at: farAway }

test('a run that is changed without the right to look at it is told without what anybody wrote into it', async () => {
  const { reader, caller } = await open()
  const id = await reader.submit('canary', written)
  expect((await caller.get(`/runs/${id}`)).status).toBe(403)
  const cancelled = await caller.post(`/runs/${id}/cancel`)
  expect([cancelled.status, cancelled.body['state'], cancelled.body.id]).toEqual([202, 'cancelled', id])
  const resumed = await caller.post(`/runs/${id}/resume`)
  expect([resumed.status, resumed.body['state']]).toEqual([202, 'queued'])
  for (const { body } of [cancelled, resumed]) {
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['tags']))
    expect(JSON.stringify(body)).not.toMatch(/canary|red|row|secret-path/)
  }
})

test('a run that is changed with the right to look at it is told as a whole', async () => {
  const { reader } = await open()
  const id = await reader.submit('canary', written)
  const { run_at: _, ...texts } = written
  expect((await reader.post(`/runs/${id}/cancel`)).body).toMatchObject({ ...texts, task: 'canary' })
})

test('a batch that is cancelled without the right to look at it is told without its tags', async () => {
  const { reader, caller } = await open()
  const { body } = await reader.post('/tactics/shout/batches', { tasks: ['a'], tags: { team: 'red' }, run_at: farAway })
  const cancelled = await caller.post(`/batches/${body.id}/cancel`)
  expect(cancelled).toMatchObject({ status: 202, body: { counts: { cancelled: 1 } } })
  expect(cancelled.body).not.toHaveProperty('tags')
  expect((await reader.post(`/batches/${body.id}/cancel`)).body).toMatchObject({ tags: { team: 'red' } })
})

test('a delivery that is asked for without the right to look at the run is told without its URL', async () => {
  const { reader, caller, service } = await open()
  const id = await reader.submit('canary', { webhook: { url } })
  await reader.ended(id)
  const [delivery] = await service.webhooks.ofRun(id)
  const path = `/runs/${id}/deliveries/${delivery?.id}/redeliver`
  const again = await caller.post(path)
  expect(again).toMatchObject({ status: 202, body: { id: delivery?.id, run_id: id } })
  expect(again.body).not.toHaveProperty('url')
  expect((await reader.post(path)).body).toMatchObject({ url })
})
