import { createClient, LllmFault, LllmProblem, type StreamEvent } from 'lllm/client'
import { describe, expect, test, vi } from 'vitest'
import { type CountNodes, listen, never, openService, type Shout } from '../http/service.ts'
import { breaksOff, openFaulty } from './faulty-service.ts'

async function openShout() {
  const service = await openService()
  const client = createClient({ url: await listen(service) })
  return { service, client, shout: client.tactic<typeof Shout>('shout') }
}

describe('a stream', () => {
  test('tells what happens, and then the result', async () => {
    const { client } = await openShout()
    const stream = client.tactic<typeof CountNodes>('count-nodes').stream({ label: 'root' })
    const events: StreamEvent[] = await Array.fromAsync(stream)
    expect(events.map(({ type }) => type)).toEqual([
      'session.started',
      'tactic.started',
      'agent.started',
      'agent.completed',
      'tactic.completed',
      'agent.started',
      'agent.completed',
    ])
    const { result, session_id } = await stream.result
    expect(result).toEqual({ count: 1, label: 'ROOT' })
    expect(events[0]).toMatchObject({ type: 'session.started', session_id, path: ['count-nodes'] })
  })

  test('gives its result without a loop', async () => {
    const { shout } = await openShout()
    expect((await shout.stream('hello').result).result).toBe('HELLO')
  })

  test('begins when it is read, is read once, and is called once', async () => {
    const { service, shout } = await openShout()
    const stream = shout.stream('hello')
    expect(service.model.callCount).toBe(0)
    const loop = Array.fromAsync(stream)
    expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError)
    await loop
    await stream.result
    expect(service.model.callCount).toBe(1)
  })

  test('of a call that fails throws its problem, after the events', async () => {
    const { client } = await openShout()
    const stream = client.tactic('broken').stream('hello')
    const types: string[] = []
    const loop = async () => {
      for await (const { type } of stream) types.push(type)
    }
    await expect(loop()).rejects.toThrow(LllmProblem)
    expect(types).toEqual(['session.started', 'agent.started', 'agent.completed'])
    await expect(stream.result).rejects.toMatchObject({ code: 'tactic-failed', sessionId: expect.any(String) })
  })

  test('that is refused is a problem', async () => {
    const { client } = await openShout()
    await expect(client.tactic('nobody').stream('hello').result).rejects.toMatchObject({ code: 'unknown-tactic' })
  })

  test('is cancelled by whoever leaves it, who gets no result', async () => {
    const { service, client, shout } = await openShout()
    service.model.answer = (_request, signal) => never(signal)
    const stream = shout.stream('hello')
    for await (const { type } of stream) if (type === 'agent.started') break
    await expect(stream.result).rejects.toMatchObject({ name: 'LllmFault', kind: 'left' })
    await vi.waitFor(async () => expect((await client.sessions.list()).data).toMatchObject([{ state: 'cancelled' }]))
  })

  test('is cancelled by its signal', async () => {
    const { service, shout } = await openShout()
    service.model.answer = (_request, signal) => never(signal)
    const leaving = new AbortController()
    const loop = async () => {
      for await (const { type } of shout.stream('hello', { signal: leaving.signal })) {
        if (type === 'agent.started') leaving.abort(new Error('enough'))
      }
    }
    await expect(loop()).rejects.toThrow('enough')
  })
})

const started = 'event: session.started\ndata: {"session_id":"s","path":["shout"]}\n\n'
const item = '{"index":0,"status":"success","result":1,"session_id":"s","cost_usd":0}\n'

describe('an answer that breaks off is a fault, never a silent end:', () => {
  test.each([
    ['cut', 'cut', 'network'],
    ['ended', 'end', 'protocol'],
  ] as const)('a stream that is %s', async (_case, how, kind) => {
    const { url } = await openFaulty(breaksOff('text/event-stream', started, how))
    const stream = createClient({ url }).tactic('shout').stream('hello')
    const loop = Array.fromAsync(stream)
    await expect(loop).rejects.toMatchObject({ name: 'LllmFault', kind, status: 200, mayHaveRun: true })
    await expect(stream.result).rejects.toThrow(LllmFault)
  })

  test.each([
    ['cut', 'cut', 'network'],
    ['ended', 'end', 'protocol'],
  ] as const)('a batch that is %s', async (_case, how, kind) => {
    const { url } = await openFaulty(breaksOff('application/x-ndjson', `${item}{"end":tr`, how))
    const stream = createClient({ url }).tactic('shout').batchStream(['hello'])
    const items: unknown[] = []
    const loop = async () => {
      for await (const one of stream) items.push(one)
    }
    await expect(loop()).rejects.toMatchObject({ kind })
    expect(items).toHaveLength(1)
    await expect(stream.sums).rejects.toMatchObject({ kind })
  })

  test('a batch whose service failed', async () => {
    const problem = { type: '', title: 'T', status: 500, detail: 'D', code: 'internal-error', request_id: 'r' }
    const { url } = await openFaulty(
      breaksOff('application/x-ndjson', `${item}${JSON.stringify({ end: true, error: problem })}\n`, 'end'),
    )
    const stream = createClient({ url }).tactic('shout').batchStream(['hello'])
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'internal-error' })
  })
})

test('events that this version does not know are passed over', async () => {
  const result = 'event: result\ndata: {"result":1,"session_id":"s","cost_usd":0}\n\n'
  const { url } = await openFaulty(
    breaksOff('text/event-stream', `event: agent.danced\ndata: {}\n\n${started}${result}`, 'end'),
  )
  const stream = createClient({ url }).tactic('shout').stream('hello')
  expect(await Array.fromAsync(stream, ({ type }) => type)).toEqual(['session.started'])
  expect(await stream.result).toEqual({ result: 1, session_id: 's', cost_usd: 0 })
})

test.each([
  ['a line', 'application/x-ndjson', 'x'.repeat(2_000)],
  ['an event', 'text/event-stream', `data: ${'x'.repeat(2_000)}`],
])('%s that does not end is given up', async (_case, contentType, endless) => {
  const { url } = await openFaulty((reply) => {
    reply.writeHead(200, { 'content-type': contentType })
    reply.write(endless)
  })
  const tactic = createClient({ url, answerBytesMax: 1_000 }).tactic('shout')
  const read = contentType === 'text/event-stream' ? tactic.stream('x').result : tactic.batchStream(['x']).sums
  await expect(read).rejects.toMatchObject({ kind: 'protocol' })
})
