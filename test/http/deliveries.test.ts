import { describe, expect, test } from 'vitest'
import { farAway, runClient } from './run-client.ts'
import { openService } from './service.ts'

const webhook = { url: 'https://example.org/hook' }

async function open() {
  const service = await openService({ judgeWebhook: () => undefined })
  return { ...runClient(service), webhooks: service.webhooks }
}

describe('the deliveries of a run', () => {
  test('are there once it has ended, with each attempt', async () => {
    const { submit, ended, get, webhooks } = await open()
    const id = await submit('hello', { webhook })
    await ended(id)
    const request = { slots: 1, hostMax: 1, hostsBusy: {}, leaseMs: 60_000 }
    const [due] = await webhooks.claim(request)
    if (due === undefined) throw new Error('Nothing was due.')
    const attempt = { startedAtMs: Date.UTC(2026, 0, 1), durationMs: 15_000, status: null, fault: 'timeout' } as const
    await webhooks.record(due, attempt, { kind: 'failed' })
    expect(await get(`/runs/${id}/deliveries`)).toMatchObject({
      status: 200,
      body: {
        data: [
          {
            id: due.id,
            run_id: id,
            type: 'run.succeeded',
            url: webhook.url,
            state: 'failed',
            next_attempt_at: null,
            attempt_count: 1,
            attempts: [{ started_at: '2026-01-01T00:00:00.000Z', duration_ms: 15_000, status: null, fault: 'timeout' }],
          },
        ],
      },
    })
  })

  test('are none before its end, and of a run that has no webhook', async () => {
    const { submit, ended, get } = await open()
    const waiting = await submit('hello', { webhook, run_at: farAway })
    expect((await get(`/runs/${waiting}/deliveries`)).body).toEqual({ data: [] })
    const plain = await submit('hello')
    await ended(plain)
    expect((await get(`/runs/${plain}/deliveries`)).body).toEqual({ data: [] })
  })

  test('are made again by whoever asks', async () => {
    const { submit, post, get, webhooks } = await open()
    const id = await submit('hello', { webhook, run_at: farAway })
    await post(`/runs/${id}/cancel`)
    const [due] = await webhooks.claim({ slots: 1, hostMax: 1, hostsBusy: {}, leaseMs: 60_000 })
    const path = `/runs/${id}/deliveries/${due?.id}/redeliver`
    expect(await post(path)).toMatchObject({
      status: 202,
      body: { id: due?.id, type: 'run.cancelled', state: 'pending' },
    })
    expect(await webhooks.claim({ slots: 1, hostMax: 1, hostsBusy: {}, leaseMs: 60_000 })).toMatchObject([
      { id: due?.id },
    ])
    expect(await post(path, { hurry: true })).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
    expect(await get(path)).toMatchObject({ status: 405 })
  })

  test('are not found where there are none', async () => {
    const { submit, get, post } = await open()
    const id = await submit('hello', { run_at: farAway })
    const other = '01931f00-0000-7000-8000-000000000009'
    expect(await get(`/runs/${other}/deliveries`)).toMatchObject({ status: 404, body: { code: 'unknown-run' } })
    for (const delivery of [other, 'nothing']) {
      const answer = await post(`/runs/${id}/deliveries/${delivery}/redeliver`)
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown-delivery' } })
    }
    expect(await post(`/runs/${other}/deliveries/${other}/redeliver`)).toMatchObject({ body: { code: 'unknown-run' } })
  })
})
