import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../src/domain/session-record.ts'
import { post, readEvents, type StreamEvent } from '../http/stream-client.ts'
import {
  cutAfter,
  errorFrame,
  garbage,
  halfEvent,
  type ScriptedReply,
  says,
  stallAfter,
  stallAfterHeaders,
  status,
  streams,
} from '../support/scripted-provider.ts'
import { replyUsd, serve, type TestService, usage } from './support/service.ts'

const pieces = ['Half ', 'a reply']
const text = pieces.join('')
/** The config says nothing of it: two recalls. */
const triesMax = 3

interface Fault {
  readonly name: string
  readonly reply: ScriptedReply
  readonly code: string
  readonly status: number
  /** What the session calls each of the failed requests. */
  readonly errorOfCall: string
}

const failing = { code: 'provider-failed', status: 502 } as const

/** What breaks a stream off in the middle of a reply. */
const breaks: readonly Fault[] = [
  { name: 'sends half an event and closes', reply: halfEvent(pieces), ...failing, errorOfCall: 'garbled' },
  { name: 'sends an error', reply: errorFrame(pieces), ...failing, errorOfCall: 'failed' },
  { name: 'sends garbage', reply: garbage(pieces), ...failing, errorOfCall: 'garbled' },
  { name: 'cuts the socket', reply: cutAfter(pieces), ...failing, errorOfCall: 'unreachable' },
  {
    name: 'closes without a finish reason',
    reply: streams(pieces, { omitFinish: true, omitUsage: true, omitDone: true }),
    ...failing,
    errorOfCall: 'garbled',
  },
]

/** What gives no piece of a reply at all. */
const refusals: readonly Fault[] = [
  {
    name: 'answers 429 to everything',
    reply: status(429, { headers: { 'retry-after-ms': '3' } }),
    code: 'provider-rate-limited',
    status: 429,
    errorOfCall: 'rate-limited',
  },
  { name: 'answers 500 to everything', reply: status(500), ...failing, errorOfCall: 'failed' },
]

async function stream({ url }: TestService, more: object = {}): Promise<readonly StreamEvent[]> {
  return readEvents(await post(`${url}/tactics/summarizer/stream`, { task: 'Bees hum.', ...more }))
}

/** However a stream ends, it does so in this way. @returns What its one terminal event says. */
function expectOneEnd(events: readonly StreamEvent[], name: 'result' | 'error'): StreamEvent['data'] {
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))
  const terminal = events.filter((event) => event.name === 'result' || event.name === 'error')
  expect(terminal).toHaveLength(1)
  expect(events.slice(-2)).toMatchObject([{ name }, { name: 'end', data: { end: true } }])
  return terminal[0]?.data ?? {}
}

/** The pieces of each attempt, put together. */
function textsOf(events: readonly StreamEvent[]): readonly string[] {
  const texts: string[] = []
  for (const { name, data } of events) {
    if (name !== 'agent.delta') continue
    const attempt = Number(data['attempt'])
    texts[attempt] = (texts[attempt] ?? '') + data['text']
  }
  return texts
}

const sessionOf = (service: TestService, { session_id: id }: StreamEvent['data']): Promise<SessionRecord> =>
  service.session(String(id))

const repeat = <Value>(value: Value): readonly Value[] => Array<Value>(triesMax).fill(value)

describe('a stream whose provider', () => {
  test.each(breaks)('$name is asked again, then ends with an error; what came is kept and counted', async (fault) => {
    const { provider, service } = await serve(() => fault.reply)
    const events = await stream(service)
    const problem = expectOneEnd(events, 'error')
    expect(problem).toMatchObject({ code: fault.code, status: fault.status, retryable: true })
    expect(JSON.stringify(events)).not.toContain('SECRET')
    expect(provider.requests).toHaveLength(triesMax)
    expect(textsOf(events)).toEqual(repeat(text))

    const session = await sessionOf(service, problem)
    expect(session).toMatchObject({
      state: 'failure',
      error: { code: fault.code },
      llm_call_count: triesMax,
      cost: { unpriced_calls: 0, cost_usd: problem['cost_usd'] },
    })
    expect(session.agent_calls).toMatchObject([
      {
        state: 'failure',
        delivery: null,
        llm_calls: repeat({
          error: { code: fault.errorOfCall },
          response: { message: { content: text }, finish_reason: null },
          usage: { estimated: true, completion_tokens: 7 },
        }),
      },
    ])
    expect(problem['cost_usd']).toBeGreaterThan(0)
  })

  test.each(breaks)('$name once tells the second try as another attempt, which is the result', async (fault) => {
    const whole = streams(['All ', 'of ', 'it.'], { usage })
    const { provider, service } = await serve([fault.reply, whole])
    const events = await stream(service, { return_session: true })
    const result = expectOneEnd(events, 'result')
    expect(textsOf(events)).toEqual([text, 'All of it.'])
    expect(result['result']).toBe('All of it.')
    expect(provider.requests).toHaveLength(2)

    const [call] = (result['session'] as SessionRecord).agent_calls
    expect(call).toMatchObject({ state: 'success', delivery: { content: 'All of it.' } })
    expect(call?.llm_calls.map(({ usage: used }) => used?.estimated ?? false)).toEqual([true, false])
    const [cut] = call?.llm_calls ?? []
    expect(result['cost_usd']).toBeCloseTo(replyUsd + (cut?.cost.cost_usd ?? 0), 12)
  })

  test.each(refusals)('$name is asked again, then ends with an error; nothing was paid', async (fault) => {
    const { provider, service } = await serve(() => fault.reply)
    const events = await stream(service)
    const problem = expectOneEnd(events, 'error')
    expect(problem).toMatchObject({ code: fault.code, status: fault.status, cost_usd: 0 })
    expect(events.map(({ name }) => name)).toEqual([
      'session.started',
      'agent.started',
      'agent.completed',
      'error',
      'end',
    ])
    expect(provider.requests).toHaveLength(triesMax)
    expect((await sessionOf(service, problem)).agent_calls).toMatchObject([
      { llm_calls: repeat({ error: { code: fault.errorOfCall }, response: null, usage: null }) },
    ])
  })

  test.each([
    ['stalls after the headers', stallAfterHeaders(), null],
    ['stalls in the middle of a reply', stallAfter(pieces), { message: { content: text } }],
  ])('%s ends when its time is up; what came is kept and counted', async (_name, reply, response) => {
    const { provider, service } = await serve(() => reply)
    const events = await stream(service, { timeout_ms: 300 })
    const problem = expectOneEnd(events, 'error')
    expect(problem).toMatchObject({ code: 'deadline-exceeded', status: 504 })
    expect(textsOf(events)).toEqual(response === null ? [] : [text])
    await provider.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0)
    expect(provider.requests).toHaveLength(1)

    const session = await sessionOf(service, problem)
    expect(session).toMatchObject({ state: 'cancelled', end_reason: 'deadline', llm_call_count: 1 })
    const [call] = session.agent_calls
    expect(call).toMatchObject({ state: 'cancelled', llm_calls: [{ error: { code: 'cancelled' }, response }] })
    expect(call?.llm_calls[0]?.usage).toMatchObject({ estimated: true, completion_tokens: response === null ? 0 : 7 })
    expect(problem['cost_usd']).toBe(session.cost.cost_usd)
    expect(session.cost).toMatchObject({ unpriced_calls: 0, cost_usd: expect.any(Number) })
  })

  test('breaks off before the first piece has charged for the prompt at least: its tokens are counted', async () => {
    const { service } = await serve(() => halfEvent())
    const problem = expectOneEnd(await stream(service), 'error')
    expect(problem).toMatchObject({ code: 'provider-failed', cost_usd: expect.any(Number) })
    const { cost, agent_calls: calls } = await sessionOf(service, problem)
    expect(cost).toMatchObject({ unpriced_calls: 0, completion_tokens: 0, cost_usd: problem['cost_usd'] })
    expect(calls[0]?.llm_calls.map(({ usage }) => usage?.estimated)).toEqual(Array(triesMax).fill(true))
  })

  test('tells its usage before it breaks off is believed', async () => {
    const reply = streams(pieces, { omitFinish: true, omitDone: true, usage })
    const { service } = await serve(() => reply)
    const problem = expectOneEnd(await stream(service), 'error')
    expect(problem['cost_usd']).toBeCloseTo(triesMax * replyUsd, 12)
    const [call] = (await sessionOf(service, problem)).agent_calls
    expect(call?.llm_calls[0]?.usage).toEqual(expect.not.objectContaining({ estimated: true }))
  })

  test('leaves out its last mark, after the finish reason, has said all there is', async () => {
    const { provider, service } = await serve(() => streams(pieces, { omitDone: true, usage }))
    expect(expectOneEnd(await stream(service), 'result')).toMatchObject({ result: text, cost_usd: replyUsd })
    expect(provider.requests).toHaveLength(1)
  })
})

describe('a call whose provider', () => {
  test('stalls after the head of its reply ends when its time is up', async () => {
    // A body that is shorter than it was said to be: the rest never comes.
    const reply = status(200, { headers: { 'content-length': '1000' }, body: '{"id":"half' })
    const { provider, service } = await serve(() => reply)
    const { status: answered, body } = await service.call('summarizer', 'Bees hum.', { timeout_ms: 300 })
    expect({ answered, body }).toMatchObject({
      answered: 504,
      body: { code: 'deadline-exceeded', retryable: true, cost_usd: null },
    })
    expect(provider.requests).toHaveLength(1)
    expect(await service.session(body.session_id)).toMatchObject({
      state: 'cancelled',
      end_reason: 'deadline',
      cost: { unpriced_calls: 1 },
      agent_calls: [{ llm_calls: [{ error: { code: 'cancelled' }, response: null, usage: null }] }],
    })
  })

  test('gives no finish reason has its answer: the body was complete', async () => {
    const { provider, service } = await serve(() => says(text, { finishReason: null, usage }))
    const { status: answered, body } = await service.call('summarizer', 'Bees hum.')
    expect({ answered, body }).toMatchObject({ answered: 200, body: { result: text, cost_usd: replyUsd } })
    expect(provider.requests).toHaveLength(1)
  })
})
