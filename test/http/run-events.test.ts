import { describe, expect, test, vi } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { farAway, hold, runClient } from './run-client.ts'
import { listen, openService, type ServiceSketch, type TestService } from './service.ts'
import { delta, eventsOf, getAndPause, heldWorld, linesOf, post, producing, readEvents } from './stream-client.ts'

/** A service that listens. */
async function open(sketch?: ServiceSketch) {
  const service = await openService(sketch)
  const url = await listen(service)
  const follow = (id: string, lastId?: number) =>
    fetch(`${url}/runs/${id}/events`, { headers: lastId === undefined ? {} : { 'last-event-id': String(lastId) } })
  return { service, url, follow, ...runClient(service) }
}

const tree = { label: 'a', children: [{ label: 'b' }] }

describe('the events of a run', () => {
  test('are those of a stream, in the same shapes', async () => {
    const { url, submit, ended, follow } = await open()
    const streamed = await readEvents(await post(`${url}/tactics/count-nodes/stream`, { task: tree }))
    const id = await submit(tree, {}, 'count-nodes')
    await ended(id)
    const response = await follow(id)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    const events = await readEvents(response)
    const shapeOf = ({ name, data }: (typeof events)[number]) => [name, Object.keys(data), data['path']]
    expect(events.map(shapeOf)).toEqual(streamed.map(shapeOf))
    expect(events.slice(-2)).toMatchObject([
      { name: 'result', data: { result: { count: 2, label: 'A' }, session_id: id, cost_usd: 0.000006 } },
      { name: 'end', data: { end: true } },
    ])
    expect(events[0]).toMatchObject({ name: 'session.started', data: { session_id: id } })
    const ids = events.map((event) => event.id)
    expect(ids).toEqual([...new Set(ids)].sort((left, right) => left - right))
  })

  test('go on exactly where a reader has left off, whichever event was its last', async () => {
    const { url, submit, ended, follow } = await open()
    const id = await submit(tree, {}, 'count-nodes')
    await ended(id)
    const all = await readEvents(await follow(id))
    for (const [index, { id: lastId }] of all.slice(0, -2).entries()) {
      expect(await readEvents(await follow(id, lastId))).toEqual(all.slice(index + 1))
      expect(await readEvents(await fetch(`${url}/runs/${id}/events?after=${lastId}`))).toEqual(all.slice(index + 1))
    }
    // Of the header and the query, the header goes first: a browser adds it when it comes back to the same URL.
    const both = await fetch(`${url}/runs/${id}/events?after=0`, { headers: { 'last-event-id': String(all[2]?.id) } })
    expect(await readEvents(both)).toEqual(all.slice(3))
  })

  test('have come to an end for whoever knows it: the answer is a 204', async () => {
    const { submit, ended, follow } = await open()
    const id = await submit()
    await ended(id)
    const [result, end] = (await readEvents(await follow(id))).slice(-2)
    expect(end?.id).toBe((result?.id ?? 0) + 1)
    for (const lastId of [result?.id, end?.id, 999_999]) {
      const response = await follow(id, lastId)
      expect([response.status, await response.text()]).toEqual([204, ''])
    }
  })

  test('come while the run is under way, and the end when it ends', async () => {
    const { service, submit, follow } = await open()
    const { open: openGate, asked } = hold(service.model)
    const id = await submit()
    const names: string[] = []
    for await (const { name } of eventsOf(await follow(id))) {
      names.push(name)
      if (name !== 'agent.started') continue
      await asked
      openGate()
    }
    expect(names).toEqual(['session.started', 'agent.started', 'agent.completed', 'result', 'end'])
  })

  test('begin with a run that has not started yet', async () => {
    const { submit, post: ask, follow } = await open()
    const id = await submit('a', { run_at: farAway })
    const response = await follow(id)
    await ask(`/runs/${id}/cancel`, { reason: 'no need' })
    expect(await readEvents(response)).toMatchObject([{ name: 'error', data: { code: 'cancelled' } }, { name: 'end' }])
  })

  test('end with a whole problem when the run fails', async () => {
    const { submit, ended, follow } = await open()
    const id = await submit('a', {}, 'broken')
    await ended(id)
    const [error, end] = (await readEvents(await follow(id))).slice(-2)
    expect(error).toMatchObject({
      name: 'error',
      data: {
        type: '/docs/errors/tactic-failed',
        title: 'Tactic failed',
        status: 500,
        code: 'tactic-failed',
        instance: `/runs/${id}/events`,
        request_id: expect.any(String),
        retryable: false,
        session_id: id,
        cost_usd: 0.000003,
      },
    })
    expect(JSON.stringify(error)).not.toContain('hunter2')
    expect(end?.name).toBe('end')
  })

  test('tell that a run was resumed, in the place of its earlier end', async () => {
    const { service, submit, ended, post: ask, follow } = await open()
    const { answer } = service.model
    service.model.answer = () => Promise.reject(new Error('no'))
    const id = await submit()
    await ended(id)
    const before = await readEvents(await follow(id))
    expect(before.at(-2)).toMatchObject({ name: 'error' })
    service.model.answer = answer
    await ask(`/runs/${id}/resume`)
    await ended(id)
    // A reader who had read all of the first end goes on.
    const after = await readEvents(await follow(id, before.at(-3)?.id))
    expect(after[0]).toMatchObject({ name: 'run.resumed', data: { session_id: id } })
    expect(after.map(({ name }) => name).filter((name) => name === 'error' || name === 'result')).toEqual(['result'])
    expect(after.at(-1)?.name).toBe('end')
  })

  test('that are not kept any more leave their reader with how the run ended', async () => {
    const { service, submit, ended, follow } = await open()
    const ids = [await submit(), await submit('a', {}, 'broken')]
    for (const id of ids) await ended(id)
    vi.spyOn(service.app.runs, 'follow').mockImplementation(async function* () {})
    const [done = '', failed = ''] = ids
    expect(await readEvents(await follow(done))).toEqual([
      { id: 1, name: 'result', data: { result: 'HELLO', session_id: done, cost_usd: 0.000003 } },
      { id: 2, name: 'end', data: { end: true } },
    ])
    expect(await readEvents(await follow(failed))).toMatchObject([{ name: 'error' }, { name: 'end' }])
    expect((await follow(done, 2)).status).toBe(204)
  })
})

describe('a reader of events', () => {
  test('who leaves changes nothing for the run, and is forgotten', async () => {
    const { service, url, submit, ended } = await open()
    const { open: openGate, asked } = hold(service.model)
    const spy = vi.spyOn(service.app.runs, 'follow')
    const id = await submit()
    const socket = await getAndPause(url, `/runs/${id}/events`)
    expect(spy.mock.lastCall?.[2].aborted).toBe(false)
    socket.destroy()
    await vi.waitFor(() => expect(spy.mock.lastCall?.[2].aborted).toBe(true))
    await asked
    openGate()
    expect(await ended(id)).toMatchObject({ state: 'success', result: 'HELLO' })
  })

  test('hears a heartbeat in quiet times', async () => {
    const { world, pass, waits } = heldWorld()
    const { submit, follow } = await open({ world })
    const id = await submit('a', { run_at: farAway })
    const lines = linesOf(await follow(id))[Symbol.asyncIterator]()
    await vi.waitFor(() => expect(waits()).toContain(15_000))
    pass(15_000)
    expect((await lines.next()).value).toBe(': heartbeat')
    await lines.return?.()
  })

  test('is let go without an end when the service shuts down, so that it comes back', async () => {
    const { service, submit, follow } = await open()
    hold(service.model)
    const id = await submit()
    const names: string[] = []
    let closing: Promise<unknown> | undefined
    for await (const { name } of eventsOf(await follow(id))) {
      names.push(name)
      if (name === 'agent.started') closing = service.server.close()
    }
    await closing
    expect(names).toEqual(['session.started', 'agent.started'])
  })

  test('who comes while the service shuts down is let go at once', async () => {
    const { service, submit, follow, ended } = await open()
    const waiting = await submit('a', { run_at: farAway })
    const done = await submit()
    await ended(done)
    service.server.lllm.shutdown.stop()
    for (const id of [waiting, done]) {
      const response = await follow(id)
      expect([response.status, await response.text()]).toEqual([200, ''])
    }
  })

  test('is let go without an end when the store fails, of which the log is told', async () => {
    const { service, submit, ended, follow } = await open()
    const id = await submit()
    await ended(id)
    const { runs } = service.app
    const real = runs.follow.bind(runs)
    vi.spyOn(runs, 'follow').mockImplementation(async function* (...given) {
      for await (const event of real(...given)) {
        yield event
        throw new LllmError('store-unavailable', 'It does not answer.')
      }
    })
    expect((await readEvents(await follow(id))).map(({ name }) => name)).toEqual(['session.started'])
    expect(service.logLines.find(({ msg }) => String(msg).includes('broke off'))).toMatchObject({
      request_id: expect.any(String),
      error: { name: 'LllmError' },
    })
  })

  test('who is slow is waited for, and holds up nothing but itself', async () => {
    const pieces = 4_000
    const text = 'x'.repeat(8_000)
    const engine = producing(async (emit) => {
      for (let count = 0; count < pieces; count++) await emit(delta(text))
    })
    const { service, url, submit, ended } = await open({ engine })
    const { runs } = service.app
    const real = runs.follow.bind(runs)
    let read = 0
    vi.spyOn(runs, 'follow').mockImplementation(async function* (...given) {
      for await (const event of real(...given)) {
        read += 1
        yield event
      }
    })
    const id = await submit('a')
    const socket = await getAndPause(url, `/runs/${id}/events`)
    expect(await ended(id)).toMatchObject({ state: 'success' })
    const stalledAt = await stalled(() => read)
    expect(stalledAt).toBeLessThan(pieces)
    let tail = ''
    for await (const chunk of socket.resume()) {
      tail = (tail + chunk).slice(-2_000)
      if (tail.endsWith('0\r\n\r\n')) break
    }
    expect(tail).toMatch(/event: result\n.*\n\nid: \d+\nevent: end\n/)
    expect(read).toBeGreaterThanOrEqual(pieces)
  })
})

/** What a count comes to once it has not changed from one look to the next. */
async function stalled(count: () => number): Promise<number> {
  let last = -1
  return vi.waitFor(
    () => {
      const before = last
      last = count()
      expect(last).toBe(before)
      return last
    },
    { interval: 50, timeout: 15_000 },
  )
}

test('the log names the run of whoever followed it', async () => {
  const { service, submit, ended, follow } = await open()
  const id = await submit()
  await ended(id)
  await readEvents(await follow(id))
  const lineOf = ({ logLines }: TestService, path: string) => logLines.find((line) => line['path'] === path)
  await vi.waitFor(() => {
    expect(lineOf(service, `/runs/${id}/events`)).toMatchObject({ status: 200, session_id: id })
    expect(lineOf(service, '/tactics/shout/runs')).toMatchObject({ status: 202, tactic: 'shout', session_id: id })
  })
})
