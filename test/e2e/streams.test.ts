import { describe, expect, test, vi } from 'vitest'
import type { SessionRecord } from '../../src/domain/session-record.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { eventsOf, linesOf, post, postAndPause, readEvents, type StreamEvent } from '../http/stream-client.ts'
import { databaseFiles } from '../support/database-files.ts'
import { createGate, endless, hang, stallAfter, streams } from '../support/scripted-provider.ts'
import { scripted, serve, usage } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const files = databaseFiles()

/** A stop has to reach the provider's socket in this time. */
const stopMsMax = 250

/** The texts of agents, put together from their pieces. */
function textsOf(events: readonly StreamEvent[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { name, data } of events) {
    if (name !== 'agent.delta') continue
    const place = `${(data['path'] as string[]).join(' > ')}: ${data['agent']}`
    texts.set(place, (texts.get(place) ?? '') + data['text'])
  }
  return texts
}

describe('a stream of a tactic with sub-tactics', () => {
  test('tells the replies of all agents in pieces, and tells the same as the session', async () => {
    const { provider, service } = await serve(({ index }) =>
      streams([`Reply ${index}, `, 'piece ', 'by piece.'], { usage }),
    )
    const response = await post(`${service.url}/tactics/pipeline/stream`, { task: 'LLMs', return_session: true })
    const events = await readEvents(response)
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1))

    const last = events.find(({ name }) => name === 'result')
    const session = last?.data['session'] as SessionRecord
    expect([...textsOf(events).keys()]).toEqual([
      'pipeline > researcher: finder',
      'pipeline > researcher: synthesizer',
      'pipeline: coordinator',
    ])
    expect([...textsOf(events).values()].at(-1)).toBe(last?.data['result'])
    expect(provider.requests).toHaveLength(session.llm_call_count)

    const told = (name: string) => events.filter((event) => event.name === name).map(({ data }) => data)
    const children = session.sub_sessions as readonly SessionRecord[]
    expect(told('session.started')).toMatchObject([{ session_id: session.id, path: ['pipeline'] }])
    expect(told('tactic.completed')).toMatchObject(
      children.map(({ id, state, cost }) => ({ session_id: id, parent_id: session.id, state, cost })),
    )
    const agentCalls = [...children, session].flatMap((of) => of.agent_calls)
    expect(told('agent.completed')).toMatchObject(
      agentCalls.map(({ id, agent, dialog, state, cost }) => ({ call_id: id, agent, dialog, state, cost })),
    )
  })

  test('tells a piece while the provider has not said the next one', async () => {
    const gate = createGate()
    const { service } = await serve(() => streams(['early ', gate, 'late'], { usage }))
    const response = await post(`${service.url}/tactics/summarizer/stream`, { task: 'a text' })
    const texts: unknown[] = []
    for await (const { name, data } of eventsOf(response)) {
      if (name === 'agent.delta') texts.push(data['text'])
      if (texts.length === 1) gate.open()
      if (name === 'result') expect(data['result']).toBe('early late')
    }
    expect(texts).toEqual(['early ', 'late'])
  })
})

describe('a reader who leaves', () => {
  test('in the middle of a reply closes the socket of the provider; what came until then is in the session', async () => {
    const { provider, service } = await serve(() => stallAfter(['Half ', 'a reply']))
    const client = new AbortController()
    const { signal } = client
    const response = await post(`${service.url}/tactics/researcher/stream`, { task: 'LLMs' }, { signal })
    let [sessionId, text] = ['', '']
    await expect(async () => {
      for await (const { data } of eventsOf(response)) {
        sessionId ||= String(data['session_id'])
        text += data['text'] ?? ''
        if (text === 'Half a reply') client.abort()
      }
    }).rejects.toThrow()
    const leftAtMs = performance.now()
    await provider.until(({ inFlight }) => inFlight === 0)
    expect(performance.now() - leftAtMs).toBeLessThan(stopMsMax)
    expect(provider).toMatchObject({ aborted: 1, requests: { length: 1 } })

    await vi.waitFor(async () => expect(await service.session(sessionId)).toMatchObject({ state: 'cancelled' }))
    const session = await service.session(sessionId)
    expect(session).toMatchObject({ end_reason: 'client-closed' })
    expect(session.agent_calls[0]?.llm_calls[0]?.response?.message.content).toBe('Half a reply')
  })

  test('while it does not read at all has stopped the provider before, and releases it', async () => {
    const { provider, service } = await serve(() => endless('x'.repeat(1_000)))
    const socket = await postAndPause(service.url, '/tactics/summarizer/stream', { task: 'a text' })
    await provider.untilStuck()
    // The model would have gone on for ever. What was read of it fills the buffers of the sockets.
    expect(provider.bytesStreamed).toBeLessThan(50_000_000)
    socket.destroy()
    await provider.until(({ inFlight }) => inFlight === 0)
    await vi.waitFor(async () => {
      const { body } = await service.get<{ data: readonly { state: string }[] }>('/sessions')
      expect(body.data.map(({ state }) => state)).toEqual(['cancelled'])
    })
  })

  test('of a batch ends it: what waits never starts', async () => {
    const { provider, service } = await serve(() => hang())
    const client = new AbortController()
    const { signal } = client
    const tasks = Array.from({ length: 200 }, (_, index) => `task ${index}`)
    const path = `${service.url}/tactics/summarizer/batch/stream`
    const response = await post(path, { tasks, max_workers: 10 }, { signal })
    await provider.until(({ inFlight }) => inFlight === 10)
    client.abort()
    const leftAtMs = performance.now()
    await expect(Array.fromAsync(linesOf(response))).rejects.toThrow()
    await provider.until(({ inFlight }) => inFlight === 0)
    expect(performance.now() - leftAtMs).toBeLessThan(stopMsMax)
    await vi.waitFor(async () => {
      const { body } = await service.get<{ data: readonly { state: string }[] }>('/sessions?limit=200')
      expect(body.data.map(({ state }) => state)).toEqual(Array(10).fill('cancelled'))
    })
    expect(provider).toMatchObject({ aborted: 10, requests: { length: 10 } })
  })
})

test('a service with 500 calls and streams under way that is told to stop ends every one of them in good order', async () => {
  const provider = await scripted(() => hang())
  const database = files.newPath()
  const service = await spawnService({ provider, database, env: { LLLM_GRACE_MS: '500' } })
  const calls = Array.from({ length: 250 }, () => service.call('summarizer', 'a slow text'))
  const following = Array.from({ length: 250 }, () =>
    post(`${service.url}/tactics/summarizer/stream`, { task: 'slow' }),
  )
  await provider.until(({ inFlight }) => inFlight === 500)
  service.kill('SIGTERM')

  for (const call of calls) expect(await call).toMatchObject({ status: 503, body: { code: 'draining' } })
  for (const response of following) {
    const events = await readEvents(await response)
    expect(events.slice(-2)).toMatchObject([{ name: 'error', data: { code: 'draining' } }, { name: 'end' }])
  }
  expect(await service.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
  expect(provider).toMatchObject({ inFlight: 0, aborted: 500 })

  const store = await openSessionStore(database)
  const states: string[] = []
  for (let page = await store.list({}, 200); ; ) {
    states.push(...page.data.map(({ state }) => state))
    if (page.next === null) break
    page = await store.list({}, 200, page.next)
  }
  await store.close()
  expect(states).toEqual(Array(500).fill('cancelled'))
})
