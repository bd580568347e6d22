import { describe, expect, onTestFinished, test } from 'vitest'
import { missingPostgres, openDatabase } from '../support/postgres.ts'
import { startService } from './support/service.ts'

const origin = 'https://app.example.org'

test('what the variables say of the door holds for a service of its own', async () => {
  const { url } = await startService({
    env: {
      LLLM_RATE_PER_ADDRESS: '3',
      LLLM_TRUST_PROXY: 'loopback',
      LLLM_CORS_ORIGINS: origin,
      LLLM_SECURITY_HEADERS: 'hsts',
    },
  })
  const get = (path: string, from: string) => fetch(url + path, { headers: { 'x-forwarded-for': from, origin } })
  const first = await get('/tactics', '192.0.2.1')
  expect(Object.fromEntries(first.headers)).toMatchObject({
    ratelimit: expect.stringMatching(/^"address";r=2;t=6[01]$/),
    'ratelimit-policy': '"address";q=3;w=60',
    'access-control-allow-origin': origin,
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'strict-transport-security': expect.stringContaining('max-age='),
    'x-content-type-options': 'nosniff',
  })
  const statuses: number[] = []
  for (let index = 0; index < 3; index++) statuses.push((await get('/info', '192.0.2.1')).status)
  expect(statuses).toEqual([200, 200, 429])
  expect((await get('/info', '192.0.2.2')).status).toBe(200)
  expect((await get('/healthz', '192.0.2.1')).status).toBe(200)
})

test('without variables nobody is limited, no page of another origin is let in, and the headers are there', async () => {
  const { url } = await startService()
  for (let index = 0; index < 30; index++) {
    const isOfPage = index % 2 === 1
    const { status, headers } = await fetch(`${url}/tactics`, { headers: isOfPage ? { origin } : {} })
    expect(status).toBe(isOfPage ? 403 : 200)
    expect(headers.get('ratelimit')).toBeNull()
    expect(headers.get('access-control-allow-origin')).toBeNull()
    expect(headers.get('strict-transport-security')).toBeNull()
    expect(headers.get('x-frame-options')).toBe('DENY')
  }
})

test('a batch of more tasks, and a body of more bytes and levels than there may be, are refused', async () => {
  const { post } = await startService({ env: { LLLM_BATCH_TASKS_MAX: '2', LLLM_BODY_LIMIT_BYTES: '2000' } })
  const deep = JSON.parse(`${'['.repeat(150)}${']'.repeat(150)}`)
  const answers = [
    await post<{ code: string }>('/tactics/summarizer/batch', { tasks: ['a', 'b', 'c'] }),
    await post<{ code: string }>('/tactics/summarizer', { task: 'a'.repeat(3_000) }),
    await post<{ code: string }>('/tactics/summarizer', { task: 'a', metadata: { deep } }),
  ]
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
    [422, 'invalid-request'],
    [413, 'payload-too-large'],
    [422, 'invalid-request'],
  ])
})

const title = missingPostgres === undefined ? 'replicas' : `replicas (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(title, () => {
  test('on one PostgreSQL let in together as many requests of an address as the limit has', async () => {
    const { url: database, stop } = await openDatabase()
    onTestFinished(stop)
    const env = { LLLM_RATE_PER_ADDRESS: '7' }
    const replicas = [await startService({ database, env }), await startService({ database, env })]
    const answers = await Promise.all(
      replicas.flatMap(({ url }) => Array.from({ length: 10 }, () => fetch(`${url}/tactics`))),
    )
    const statuses = answers.map(({ status }) => status).sort()
    expect(statuses).toEqual([...Array(7).fill(200), ...Array(13).fill(429)])
    const left = answers
      .map(({ headers }) => /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
      .filter((r) => r !== '0')
    expect(left.toSorted()).toEqual(['1', '2', '3', '4', '5', '6'])
  })
})
