import { describe, expect, test } from 'vitest'
import { noCost } from '../../src/domain/cost.ts'
import type { EngineEvent } from '../../src/domain/event.ts'
import { listen, never, openService } from './service.ts'
import { delta, eventsOf, heldWorld, linesOf, post, producing, readEvents } from './stream-client.ts'

const quiet = producing(async () => {})
const place = { sessionId: 's', path: ['shout'] }
const agentPlace = { ...place, callId: 'c', agent: 'shouter', dialog: 'shout' }

test('a stream tells what happens in a call, then its result, then that it ends', async () => {
  const service = await openService({
    engine: producing(async (emit) => {
      await emit({ type: 'session.started', ...place, tactic: 'shout', startedAtMs: 0, simulated: false })
      await emit(delta('HEL\n'))
      await emit(delta('LO'))
    }),
  })
  const response = await post(`${await listen(service)}/tactics/shout/stream`, {
    task: 'hel\nlo',
    return_session: 'summary',
  })
  expect(response.status).toBe(200)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-request-id': expect.any(String),
  })
  expect(response.headers.has('lllm-simulated')).toBe(false)

  const at = { session_id: 's', path: ['shout'] }
  const agentAt = { ...at, call_id: 'c', agent: 'shouter', dialog: 'shout' }
  const events = await readEvents(response)
  expect(events).toEqual([
    {
      id: 1,
      name: 'session.started',
      data: { ...at, tactic: 'shout', started_at: '1970-01-01T00:00:00.000Z', simulated: false },
    },
    { id: 2, name: 'agent.delta', data: { ...agentAt, step: 0, attempt: 0, text: 'HEL\n' } },
    { id: 3, name: 'agent.delta', data: { ...agentAt, step: 0, attempt: 0, text: 'LO' } },
    {
      id: 4,
      name: 'result',
      data: { result: 'HEL\nLO', session_id: expect.any(String), cost_usd: 0.000003, session: expect.any(Object) },
    },
    { id: 5, name: 'end', data: { end: true } },
  ])
})

test.each<[EngineEvent, object]>([
  [
    { type: 'tactic.started', ...place, tactic: 'shout', parentId: 'p' },
    { tactic: 'shout', parent_id: 'p' },
  ],
  [
    { type: 'tactic.completed', ...place, tactic: 'shout', parentId: 'p', state: 'failure', cost: noCost },
    { parent_id: 'p', state: 'failure', cost: expect.objectContaining({ cost_usd: 0 }) },
  ],
  [
    { type: 'agent.started', ...agentPlace },
    { call_id: 'c', agent: 'shouter', dialog: 'shout' },
  ],
  [
    { type: 'agent.completed', ...agentPlace, state: 'success', cost: noCost },
    { state: 'success', cost: expect.objectContaining({ total_tokens: 0 }) },
  ],
  [
    { type: 'tool.started', ...agentPlace, toolCallId: 't', tool: 'add', arguments: '{}' },
    { tool_call_id: 't', tool: 'add', arguments: '{}' },
  ],
  [
    { type: 'tool.completed', ...agentPlace, toolCallId: 't', tool: 'add', result: '3', error: null },
    { tool_call_id: 't', result: '3', error: null },
  ],
  [
    { type: 'progress', ...place, data: { done: 1 } },
    { session_id: 's', path: ['shout'], data: { done: 1 } },
  ],
])('the event $type is told in snake_case', async (event, data) => {
  const service = await openService({ engine: producing(async (emit) => emit(event)) })
  const [first] = await readEvents(await post(`${await listen(service)}/tactics/shout/stream`, { task: 'a' }))
  expect(first).toMatchObject({ name: event.type, data })
})

test('a stream of a simulated model says so in its head', async () => {
  const service = await openService({ engine: quiet })
  service.model.simulated = true
  const response = await post(`${await listen(service)}/tactics/shout/stream`, { task: 'a' })
  expect(response.headers.get('lllm-simulated')).toBe('true')
  await readEvents(response)
})

describe('what is wrong with a request is told before a stream begins:', () => {
  test.each([
    ['a task that does not fit', '/tactics/shout/stream', { task: 1 }, 422, 'invalid-task'],
    ['a body that does not fit', '/tactics/shout/stream', {}, 422, 'invalid-request'],
    ['an unknown tactic', '/tactics/shuot/stream', { task: 'a' }, 404, 'unknown-tactic'],
    ['an unknown config', '/tactics/shout/stream', { task: 'a', config: 'x' }, 404, 'unknown-config'],
  ])('%s', async (_what, url, payload, status, code) => {
    const { server } = await openService()
    const response = await server.inject({ method: 'POST', url, payload })
    expect(response.headers['content-type']).toContain('application/problem+json')
    expect(response.json()).toMatchObject({ status, code })
  })

  test('a client that takes no events', async () => {
    const { server } = await openService()
    const request = { method: 'POST', url: '/tactics/shout/stream', payload: { task: 'a' } } as const
    const statusFor = async (accept: string) => (await server.inject({ ...request, headers: { accept } })).statusCode
    expect(await statusFor('application/json')).toBe(406)
    expect(await statusFor('text/event-stream')).toBe(200)
    expect(await statusFor('text/*, application/json')).toBe(200)
  })

  test('a client that would resume a stream, because it would pay for another call', async () => {
    const { server, model } = await openService()
    const headers = { 'last-event-id': '7' }
    const request = { method: 'POST', url: '/tactics/shout/stream', payload: { task: 'a' }, headers } as const
    expect((await server.inject(request)).json()).toMatchObject({ status: 400, code: 'invalid-parameter' })
    expect(model.callCount).toBe(0)
  })

  test('that the service is shutting down', async () => {
    const { server } = await openService()
    await server.lllm.shutdown.drain(0)
    const response = await server.inject({ method: 'POST', url: '/tactics/shout/stream', payload: { task: 'a' } })
    expect(response.json()).toMatchObject({ status: 503, code: 'draining' })
    expect(response.headers['retry-after']).toBe('5')
  })
})

describe('exactly one terminal event comes, and then the end, when', () => {
  test('the tactic throws', async () => {
    const service = await openService()
    const url = `${await listen(service)}/tactics/broken/stream`
    const events = await readEvents(await post(url, { task: 'a' }))
    expect(events.filter(({ name }) => name === 'error' || name === 'result')).toHaveLength(1)
    expect(events.slice(-2)).toMatchObject([
      {
        name: 'error',
        data: {
          type: '/docs/errors/tactic-failed',
          status: 500,
          code: 'tactic-failed',
          instance: '/tactics/broken/stream',
          session_id: expect.any(String),
          cost_usd: 0.000003,
        },
      },
      { name: 'end' },
    ])
    expect(JSON.stringify(events)).not.toContain('hunter2')
    expect(service.logLines.filter(({ msg }) => msg === 'request failed')).toHaveLength(1)
    expect(service.logLines.at(-1)).toMatchObject({ msg: 'request', status: 200, code: 'tactic-failed' })
  })

  test('the time is up', async () => {
    const service = await openService()
    service.model.answer = (_request, signal) => never(signal)
    const events = await readEvents(
      await post(`${await listen(service)}/tactics/shout/stream`, { task: 'a', timeout_ms: 50 }),
    )
    expect(events.slice(-2)).toMatchObject([{ name: 'error', data: { code: 'deadline-exceeded' } }, { name: 'end' }])
    const session = await service.server.inject(`/sessions/${events.at(-2)?.data['session_id']}`)
    expect(session.json()).toMatchObject({ state: 'cancelled', end_reason: 'deadline' })
  })

  test('the service stops, which closes the connection as well', async () => {
    const service = await openService()
    service.model.answer = (_request, signal) => never(signal)
    const baseUrl = await listen(service)
    const response = await post(`${baseUrl}/tactics/shout/stream`, { task: 'a' })
    await service.server.close()
    const events = await readEvents(response)
    expect(events.slice(-2)).toMatchObject([{ name: 'error', data: { code: 'draining' } }, { name: 'end' }])
  })

  test('the engine itself fails', async () => {
    const service = await openService({
      engine: producing(async () => {
        throw new Error('a bug')
      }),
    })
    const events = await readEvents(await post(`${await listen(service)}/tactics/shout/stream`, { task: 'a' }))
    expect(events).toMatchObject([{ name: 'error', data: { code: 'internal-error', status: 500 } }, { name: 'end' }])
  })

  test('something still goes on after the call', async () => {
    let late = () => {}
    const service = await openService({
      engine: producing(async (emit) => {
        late = () => void emit(delta('late'))
      }),
    })
    const seen: string[] = []
    for await (const { name } of eventsOf(await post(`${await listen(service)}/tactics/shout/stream`, { task: 'a' }))) {
      if (name === 'result') late()
      seen.push(name)
    }
    late()
    expect(seen).toEqual(['result', 'end'])
  })
})

test('a heartbeat is heard every 15 s, until the end', async () => {
  const { world, pass, waits } = heldWorld()
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const service = await openService({ world, engine: producing(() => released) })
  const lines = linesOf(await post(`${await listen(service)}/tactics/shout/stream`, { task: 'a' }))[
    Symbol.asyncIterator
  ]()
  const nextLine = async () => (await lines.next()).value
  for (let count = 0; count < 2; count++) {
    expect(waits()).toEqual([15_000])
    pass(15_000)
    expect([await nextLine(), await nextLine()]).toEqual([': heartbeat', ''])
  }
  release()
  expect(await nextLine()).toBe('id: 1')
  for (let line = await lines.next(); !line.done; line = await lines.next());
  expect(waits()).not.toContain(15_000)
})
