import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cutSocket, emptyChoices, hang, refuses, type ScriptLine, says, status } from '../support/scripted-provider.ts'
import { providerKey, replyUsd, scripted, serve, startService, type TestService, usage } from './support/service.ts'

/** Words that a provider may say and that are nobody else's business. */
const secret = 'SECRET words of the provider'

interface Fault {
  readonly name: string
  readonly reply: ScriptLine
  readonly code: string
  readonly status: number
  readonly retryable: boolean
  /** Requests until the call is given up. */
  readonly requestCount: number
  /** What each of them cost. Null: that cannot be known. */
  readonly eachUsd: number | null
  readonly errorOfCall: string | null
  readonly retryKind: 'recall' | 'exception'
}

const failing = { code: 'provider-failed', status: 502, retryable: true, requestCount: 3, retryKind: 'recall' } as const
const unusable = { ...failing, code: 'reply-unusable', requestCount: 4, retryKind: 'exception' } as const
const rejecting = { ...failing, code: 'provider-rejected', retryable: false, requestCount: 1 } as const
const limiting = { ...failing, code: 'provider-rate-limited', status: 429 } as const

const soon = { 'retry-after-ms': '3' }
const page = { headers: { 'content-type': 'text/html' }, body: `<html>${secret}</html>` }
const oversize = 'x'.repeat(4 * 1024 * 1024 + 1)
const elsewhere = { headers: { location: 'http://127.0.0.1:9/' } }

const faults: readonly Fault[] = [
  { name: 'an error 500', reply: status(500), ...failing, eachUsd: 0, errorOfCall: 'failed' },
  { name: 'a timeout of its own, 408', reply: status(408), ...failing, eachUsd: 0, errorOfCall: 'failed' },
  { name: 'a page with status 502', reply: status(502, page), ...failing, eachUsd: 0, errorOfCall: 'failed' },
  { name: 'a limit of its rate', reply: status(429), ...limiting, eachUsd: 0, errorOfCall: 'rate-limited' },
  {
    name: 'a limit, and how long to wait',
    reply: status(429, { headers: soon }),
    ...limiting,
    eachUsd: 0,
    errorOfCall: 'rate-limited',
  },
  { name: 'a page with status 200', reply: status(200, page), ...failing, eachUsd: null, errorOfCall: 'garbled' },
  {
    name: 'JSON of something else',
    reply: status(200, { body: [1] }),
    ...failing,
    eachUsd: null,
    errorOfCall: 'garbled',
  },
  {
    name: 'an error with status 200',
    reply: status(200, { body: { error: { message: secret } } }),
    ...failing,
    eachUsd: null,
    errorOfCall: 'garbled',
  },
  { name: 'no choices', reply: emptyChoices({ usage }), ...failing, eachUsd: replyUsd, errorOfCall: 'garbled' },
  { name: 'more than 4 MB', reply: status(200, { body: oversize }), ...failing, eachUsd: null, errorOfCall: 'garbled' },
  { name: 'a cut socket', reply: cutSocket(), ...failing, eachUsd: null, errorOfCall: 'unreachable' },
  { name: 'half a body', reply: cutSocket({ inBody: true }), ...failing, eachUsd: null, errorOfCall: 'unreachable' },
  { name: 'a redirect', reply: status(302, elsewhere), ...rejecting, eachUsd: 0, errorOfCall: 'rejected' },
  { name: 'a refusal of the request', reply: status(400), ...rejecting, eachUsd: 0, errorOfCall: 'rejected' },
  { name: 'a refusal of the key', reply: status(401), ...rejecting, eachUsd: 0, errorOfCall: 'rejected' },
  { name: 'nothing', reply: says('', { usage }), ...unusable, eachUsd: replyUsd, errorOfCall: null },
  { name: 'a refusal to answer', reply: refuses('No.', { usage }), ...unusable, eachUsd: replyUsd, errorOfCall: null },
]

/** Where the service speaks: in answers, in stored sessions, in its log. */
async function allThatIsSaid(service: TestService, answer: string, id?: string) {
  return [answer, (await service.get(`/sessions/${id}`)).text, JSON.stringify(service.logLines)].join('\n')
}

describe('a provider that answers always with', () => {
  test.each(faults)('$name', async (fault) => {
    const { provider, service } = await serve(() => fault.reply)
    const { status: answered, headers, text, body } = await service.call('summarizer', 'Bees hum.')
    const costUsd = fault.eachUsd === null ? null : fault.requestCount * fault.eachUsd

    expect(provider.requests).toHaveLength(fault.requestCount)
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const { code, retryable } = fault
    expect({ answered, body }).toMatchObject({
      answered: fault.status,
      body: { code, status: fault.status, retryable, cost_usd: costUsd, instance: '/tactics/summarizer' },
    })
    expect(await service.session(body.session_id)).toMatchObject({
      state: 'failure',
      result: null,
      error: { code },
      llm_call_count: fault.requestCount,
      cost: { cost_usd: costUsd, unpriced_calls: fault.eachUsd === null ? fault.requestCount : 0 },
      agent_calls: [
        {
          state: 'failure',
          delivery: null,
          llm_calls: Array.from({ length: fault.requestCount }, (_, attempt) => ({
            step: 0,
            attempt,
            error: fault.errorOfCall === null ? null : { code: fault.errorOfCall },
          })),
          retries: Array.from({ length: fault.requestCount - 1 }, () => ({ kind: fault.retryKind, step: 0 })),
        },
      ],
    })
    const said = await allThatIsSaid(service, text, body.session_id)
    expect(said).not.toContain('SECRET')
    expect(said).not.toContain(providerKey)
  })
})

describe('a provider that gets better after', () => {
  const passing = faults.filter(({ requestCount }) => requestCount > 1)

  test.each(passing)('$name', async ({ reply, retryKind, eachUsd, errorOfCall }) => {
    const { provider, service } = await serve([reply, says('- Bees hum.', { usage })])
    const { status: answered, body } = await service.call('summarizer', 'Bees hum.', { return_session: true })
    expect({ answered, result: body.result }).toEqual({ answered: 200, result: '- Bees hum.' })
    expect(body.cost_usd).toBe((eachUsd ?? 0) + replyUsd)
    expect(body.session).toMatchObject({
      state: 'success',
      error: null,
      llm_call_count: 2,
      cost: { unpriced_calls: eachUsd === null ? 1 : 0 },
      agent_calls: [
        {
          state: 'success',
          delivery: { content: '- Bees hum.' },
          llm_calls: [
            { attempt: 0, error: errorOfCall === null ? null : { code: errorOfCall } },
            { attempt: 1, error: null },
          ],
          retries: [{ kind: retryKind, step: 0 }],
        },
      ],
    })
    expect(provider.requests).toHaveLength(2)
  })

  test('a limit of its rate is given the time that it asks for', async () => {
    const limits = [{ 'retry-after-ms': '30' }, { 'retry-after': '0.02' }].map((headers) => status(429, { headers }))
    const { service } = await serve([...limits, 'At last.'])
    const { body } = await service.call('summarizer', 'Bees hum.', { return_session: true })
    expect(body.result).toBe('At last.')
    expect(body.session?.agent_calls[0]?.retries).toMatchObject([{ waited_ms: 30 }, { waited_ms: 20 }])
    expect(body.session?.duration_ms).toBeGreaterThanOrEqual(45)
  })

  test('a limit for longer than the call may last is not waited for', async () => {
    const { provider, service } = await serve([status(429, { headers: { 'retry-after': '90' } })])
    const answer = await service.call('summarizer', 'Bees hum.', { timeout_ms: 30_000 })
    expect(answer).toMatchObject({ status: 429, body: { code: 'provider-rate-limited', retryable: true } })
    expect(answer.headers.get('retry-after')).toBe('90')
    expect(provider.requests).toHaveLength(1)
  })
})

describe('a redirect', () => {
  test('is not followed, so that the key goes nowhere else', async () => {
    const other = await scripted(() => 'Give me your key.')
    const moved = () => status(307, { headers: { location: `${other.url}/chat/completions` } })
    const { service } = await serve(moved)
    const { body } = await service.call('summarizer', 'Bees hum.')
    expect(body).toMatchObject({ code: 'provider-rejected', retryable: false })
    expect(body.detail).toContain('correct the base URL')
    expect(other.requests).toEqual([])
  })
})

describe('a provider that takes its time', () => {
  test('and never answers is left when the time of the call is up', async () => {
    const { provider, service } = await serve(() => hang())
    const { status: answered, body } = await service.call('summarizer', 'Bees hum.', { timeout_ms: 300 })
    expect({ answered, code: body.code, costUsd: body.cost_usd }).toEqual({
      answered: 504,
      code: 'deadline-exceeded',
      costUsd: null,
    })
    await provider.until(({ aborted }) => aborted === 1)
    expect(await service.session(body.session_id)).toMatchObject({
      state: 'cancelled',
      end_reason: 'deadline',
      cost: { cost_usd: null, unpriced_calls: 1 },
      agent_calls: [{ state: 'cancelled', llm_calls: [{ error: { code: 'cancelled' } }] }],
    })
  })

  test('over its body, a byte at a time, as well', async () => {
    const { url, left } = await startDripping()
    const service = await startService({ env: { OPENAI_BASE_URL: url } })
    const { status: answered, body } = await service.call('summarizer', 'Bees hum.', { timeout_ms: 300 })
    expect({ answered, code: body.code }).toEqual({ answered: 504, code: 'deadline-exceeded' })
    await left
  })
})

/** A server that sends a space every few milliseconds, for ever. `left` resolves when its client has gone away. */
async function startDripping() {
  const { promise: left, resolve } = Promise.withResolvers<void>()
  const server = createServer((_incoming, outgoing) => {
    outgoing.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => outgoing.write(' '), 5)
    outgoing.once('close', () => {
      clearInterval(timer)
      resolve()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, left }
}
