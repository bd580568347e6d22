import { describe, expect, test, vi } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import type { IdempotencyStore, KeptAnswer } from '../../src/domain/idempotency-store.ts'
import { createRedactor } from '../../src/domain/redact.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createMemoryIdempotencyStore } from '../../src/stores/memory-idempotency-store.ts'
import { listen, never, openService, type ServiceSketch, type TestService } from './service.ts'
import { post } from './stream-client.ts'

/** What a client sees of an answer. What names the request itself, rather than its answer, is left out. */
async function seen(response: Response) {
  const header = (name: string) => response.headers.get(name)
  return {
    status: response.status,
    type: header('content-type'),
    simulated: header('lllm-simulated'),
    retryAfter: header('retry-after'),
    replayed: header('idempotency-replayed'),
    text: await response.text(),
  }
}

/** A service at a real socket, which is posted to under a key. */
async function open(sketch: ServiceSketch = {}) {
  const service = await openService(sketch)
  const url = await listen(service)
  const send = (path: string, body: object, key = 'key-1', signal?: AbortSignal) => {
    return post(url + path, body, { headers: { 'idempotency-key': key }, signal: signal ?? null })
  }
  const call = async (...args: Parameters<typeof send>) => seen(await send(...args))
  return { ...service, service, url, send, call }
}

/** A model that answers each request when it is told to. */
function holdModel({ model }: TestService) {
  const held: { readonly answer: (text: string) => void; readonly signal: AbortSignal }[] = []
  model.answer = (_request, signal) =>
    Promise.race([never(signal), new Promise<string>((answer) => held.push({ answer, signal }))])
  return {
    held,
    asked: (count: number) => vi.waitFor(() => expect(held).toHaveLength(count), { interval: 2 }),
  }
}

const down = () => Promise.reject(new LllmError('store-unavailable', 'The disk is gone.'))

/** A store of keys that can be told to fail. */
function fragileKeys() {
  const store = createMemoryIdempotencyStore()
  const failing = new Set<keyof IdempotencyStore>()
  const calls: string[] = []
  const guard = <Name extends 'claim' | 'complete' | 'release'>(name: Name): IdempotencyStore[Name] =>
    ((...args: Parameters<IdempotencyStore[Name]>) => {
      calls.push(name)
      return failing.has(name) ? down() : (store[name] as (...given: unknown[]) => Promise<unknown>)(...args)
    }) as IdempotencyStore[Name]
  return {
    failing,
    calls,
    idempotency: { ...store, claim: guard('claim'), complete: guard('complete'), release: guard('release') },
  }
}

const task = { task: 'hello' }

describe('a request that comes again under its key', () => {
  test('has the same answer to the byte, which says that it is not new, and no model is asked', async () => {
    const { call, model, server } = await open()
    model.simulated = true
    const first = await call('/tactics/shout', { task: 'hello', return_session: true })
    expect(first).toMatchObject({ status: 200, simulated: 'true', replayed: null })
    expect(await call('/tactics/shout', { return_session: true, task: 'hello' })).toEqual({
      ...first,
      replayed: 'true',
    })
    expect(model.callCount).toBe(1)
    expect((await server.inject('/sessions')).json().data).toHaveLength(1)
  })

  test('is the same with quotes, as the draft of the IETF has it, and without', async () => {
    const { call, model } = await open()
    const first = await call('/tactics/shout', task, '"a\\"b\\\\c"')
    expect(await call('/tactics/shout', task, 'a"b\\c')).toEqual({ ...first, replayed: 'true' })
    expect(model.callCount).toBe(1)
  })

  test('of a batch has the answer of the batch', async () => {
    const { call, model } = await open()
    const first = await call('/tactics/shout/batch', { tasks: ['a', 'b'] })
    expect(JSON.parse(first.text)).toMatchObject({ counts: { success: 2 } })
    expect(await call('/tactics/shout/batch', { tasks: ['a', 'b'] })).toEqual({ ...first, replayed: 'true' })
    expect(model.callCount).toBe(2)
  })

  test('of a call that failed has its problem, with its session', async () => {
    const { call, model } = await open()
    const first = await call('/tactics/broken', task)
    expect(first).toMatchObject({ status: 500, type: expect.stringContaining('application/problem+json') })
    expect(JSON.parse(first.text)).toMatchObject({ code: 'tactic-failed', session_id: expect.any(String) })
    expect(await call('/tactics/broken', task)).toEqual({ ...first, replayed: 'true' })
    expect(model.callCount).toBe(1)
  })

  test('of a call that ran out of its time has that, and is not tried again', async () => {
    const opened = await open()
    const { asked } = holdModel(opened.service)
    const body = { task: 'hello', timeout_ms: 20 }
    const first = await opened.call('/tactics/shout', body)
    expect(JSON.parse(first.text)).toMatchObject({ code: 'deadline-exceeded', session_id: expect.any(String) })
    expect(await opened.call('/tactics/shout', body)).toEqual({ ...first, replayed: 'true' })
    await asked(1)
  })

  test('of a call whose budget stopped it has that: a session exists', async () => {
    const { call, service } = await open()
    const body = { task: 'hello', budget_usd: 0.000_000_001 }
    const first = await call('/tactics/shout', body)
    expect(first.status).toBe(402)
    expect(JSON.parse(first.text).session_id).toEqual(expect.any(String))
    expect(await call('/tactics/shout', body)).toEqual({ ...first, replayed: 'true' })
    expect(service.model.callCount).toBe(0)
  })

  test('by another name of its tactic is the same', async () => {
    const { call, model } = await open()
    await call('/tactics/shout', task)
    expect(await call('/tactics/demo::shout', task)).toMatchObject({ replayed: 'true' })
    expect(model.callCount).toBe(1)
  })

  test('with another body, path, tactic or query is refused, and so is the first one no more', async () => {
    const { call, model } = await open()
    const first = await call('/tactics/shout', task)
    for (const [path, body] of [
      ['/tactics/shout', { task: 'hallo' }],
      ['/tactics/shout', { ...task, tags: { team: 'a' } }],
      ['/tactics/shout/batch', { tasks: ['hello'] }],
      ['/tactics/broken', task],
      ['/tactics/shout?x=1', task],
    ] as const) {
      const other = await call(path, body)
      expect(other).toMatchObject({ status: 422, retryAfter: null, replayed: null })
      expect(JSON.parse(other.text)).toMatchObject({ code: 'idempotency-mismatch', retryable: false })
    }
    expect(await call('/tactics/shout', task)).toEqual({ ...first, replayed: 'true' })
    expect(model.callCount).toBe(1)
  })

  test('under another key is another request', async () => {
    const { call, model } = await open()
    await call('/tactics/shout', task, 'key-1')
    expect(await call('/tactics/shout', task, 'key-2')).toMatchObject({ status: 200, replayed: null })
    expect(model.callCount).toBe(2)
  })

  test('while the first is under way is told when to come back, and the model is asked once', async () => {
    const opened = await open()
    const { held, asked } = holdModel(opened.service)
    const first = opened.call('/tactics/shout', task)
    await asked(1)
    const repeats = await Promise.all(Array.from({ length: 20 }, () => opened.call('/tactics/shout', task)))
    for (const repeat of repeats) {
      expect(repeat).toMatchObject({ status: 409, retryAfter: '2', replayed: null })
      expect(JSON.parse(repeat.text)).toMatchObject({ code: 'idempotency-conflict', retryable: true })
    }
    held[0]?.answer('DONE')
    expect(await first).toMatchObject({ status: 200, replayed: null })
    expect(await opened.call('/tactics/shout', task)).toEqual({ ...(await first), replayed: 'true' })
    expect(held).toHaveLength(1)
  })

  test('more than a day after its answer is a new one', async () => {
    let nowMs = 0
    const { call, model } = await open({ idempotency: createMemoryIdempotencyStore(() => nowMs) })
    await call('/tactics/shout', task)
    nowMs += 24 * 3_600_000 - 1
    expect(await call('/tactics/shout', task)).toMatchObject({ replayed: 'true' })
    nowMs += 1
    expect(await call('/tactics/shout', task)).toMatchObject({ status: 200, replayed: null })
    expect(model.callCount).toBe(2)
  })
})

describe('a key is free again', () => {
  test.each([
    ['a body that does not fit', '/tactics/shout', { tsak: 'hello' }, 'invalid-request'],
    ['a task that does not fit', '/tactics/shout', { task: 5 }, 'invalid-task'],
    ['a config that is not there', '/tactics/shout', { ...task, config: 'none' }, 'unknown-config'],
    ['a batch with a task that does not fit', '/tactics/shout/batch', { tasks: ['a', 5] }, 'invalid-task'],
  ])('after %s, for the corrected request', async (_what, path, body, code) => {
    const { call } = await open()
    expect(JSON.parse((await call(path, body)).text).code).toBe(code)
    expect(await call('/tactics/shout', task)).toMatchObject({ status: 200, replayed: null })
  })

  test('after the service had no room, for the same request', async () => {
    const opened = await open({ settings: { callsMax: 1, queueMax: 0 } })
    const { held, asked } = holdModel(opened.service)
    const other = opened.call('/tactics/shout', task, 'other')
    await asked(1)
    expect(await opened.call('/tactics/shout', task)).toMatchObject({ status: 503, retryAfter: '5' })
    held[0]?.answer('DONE')
    await other
    const again = opened.call('/tactics/shout', task)
    await asked(2)
    held[1]?.answer('DONE')
    expect(await again).toMatchObject({ status: 200, replayed: null })
  })

  test('after its client hung up, which cancelled the call', async () => {
    const opened = await open()
    const { held, asked } = holdModel(opened.service)
    const client = new AbortController()
    const left = opened.send('/tactics/shout', task, 'key-1', client.signal)
    await asked(1)
    client.abort()
    await expect(left).rejects.toThrow()
    // The other request ends when its key is free, and not because of the time that this takes.
    const again = vi.waitUntil(
      async () => {
        const answer = opened.call('/tactics/shout', task)
        if (held.length === 1) await Promise.race([answer, asked(2)])
        return held.length === 2 ? { answer } : false
      },
      { interval: 5 },
    )
    const { answer } = await again
    held[1]?.answer('DONE')
    expect(await answer).toMatchObject({ status: 200, replayed: null })
    expect(held[0]?.signal.aborted).toBe(true)
  })

  test('after a batch was left, also where some of its tasks had been done', async () => {
    const keys = fragileKeys()
    const opened = await open(keys)
    const { held, asked } = holdModel(opened.service)
    const client = new AbortController()
    const body = { tasks: ['a', 'b'], max_workers: 1 }
    const left = opened.send('/tactics/shout/batch', body, 'key-1', client.signal)
    await asked(1)
    held[0]?.answer('DONE')
    await asked(2)
    client.abort()
    await expect(left).rejects.toThrow()
    await vi.waitFor(() => expect(keys.calls).toEqual(['claim', 'release']), { interval: 2 })
  })

  test('after a shutdown stopped the call, for whoever comes next', async () => {
    const keys = fragileKeys()
    const opened = await open(keys)
    const { asked } = holdModel(opened.service)
    const stopped = opened.call('/tactics/shout', task)
    await asked(1)
    const closed = opened.server.close()
    expect(await stopped).toMatchObject({ status: 503 })
    await closed
    expect(keys.calls).toEqual(['claim', 'release'])
    const next = await open(keys)
    expect(await next.call('/tactics/shout', task)).toMatchObject({ status: 200, replayed: null })
  })
})

describe('when the store of keys fails', () => {
  test('a request with a key is refused before anything is paid, and one without is answered', async () => {
    const keys = fragileKeys()
    const { call, url, model } = await open(keys)
    keys.failing.add('claim')
    expect(await call('/tactics/shout', task)).toMatchObject({ status: 503, retryAfter: '5' })
    expect(model.callCount).toBe(0)
    expect((await post(`${url}/tactics/shout`, task)).status).toBe(200)
    keys.failing.clear()
    expect(await call('/tactics/shout', task)).toMatchObject({ status: 200, replayed: null })
  })

  test('at the end the answer goes out, and is kept as soon as the store is back', async () => {
    const keys = fragileKeys()
    const opened = await open(keys)
    keys.failing.add('complete')
    const first = await opened.call('/tactics/shout', task)
    expect(first.status).toBe(200)
    expect(opened.logLines).toContainEqual(
      expect.objectContaining({ level: 50, msg: 'the answer to an idempotency key is not stored yet' }),
    )
    expect(await opened.call('/tactics/shout', task)).toMatchObject({ status: 409 })
    keys.failing.clear()
    await opened.server.close()
    const next = await open(keys)
    expect(await next.call('/tactics/shout', task)).toEqual({ ...first, replayed: 'true' })
    expect(opened.model.callCount + next.model.callCount).toBe(1)
  })
})

describe('a key', () => {
  test.each([
    ['is empty', ''],
    ['has a space in it', 'a b'],
    ['comes twice', '"a", "b"'],
    ['is too long', 'x'.repeat(256)],
    ['has half a quote', '"a'],
    ['is an empty string', '""'],
    ['has a parameter', '"a";x=1'],
    ['has other than ASCII', 'é'],
  ])('that %s is refused', async (_what, key) => {
    const { call, model } = await open()
    const answer = await call('/tactics/shout', task, key)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'invalid-parameter',
      errors: [{ pointer: '/header/idempotency-key', message: expect.stringContaining('1 to 255 visible ASCII') }],
    })
    expect(model.callCount).toBe(0)
  })

  test('of the greatest length is taken', async () => {
    const { call } = await open()
    await call('/tactics/shout', task, `"${'x'.repeat(255)}"`)
    expect(await call('/tactics/shout', task, 'x'.repeat(255))).toMatchObject({ replayed: 'true' })
  })

  test.each(['/tactics/shout/stream', '/tactics/shout/batch/stream'])('is refused by %s', async (path) => {
    const { call, model } = await open()
    const answer = await call(path, { ...(path.includes('batch') ? { tasks: ['a'] } : task) })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'invalid-parameter',
      detail: expect.stringContaining('start a run'),
    })
    expect(model.callCount).toBe(0)
  })

  test('whose answer is too large to be kept is not used up for nothing: the request is not done again', async () => {
    const engine = (real: Engine): Engine => ({
      ...real,
      async execute(...args) {
        const outcome = await real.execute(...args)
        return outcome.ok ? { ...outcome, output: 'é'.repeat(4 * 1024 * 1024) } : outcome
      },
    })
    const { call, model } = await open({ engine })
    const first = await call('/tactics/shout', task)
    expect(first.status).toBe(200)
    const again = await call('/tactics/shout', task)
    expect(again).toMatchObject({ status: 422, replayed: 'true' })
    expect(JSON.parse(again.text)).toMatchObject({
      code: 'idempotency-mismatch',
      session_id: JSON.parse(first.text).session_id,
    })
    expect(model.callCount).toBe(1)
  })

  test.each(['', '/batch', '/runs'])('whose answer holds a known secret is kept without it: %s', async (suffix) => {
    const store = createMemoryIdempotencyStore()
    const kept: KeptAnswer[] = []
    const complete: IdempotencyStore['complete'] = (use, answer) => {
      kept.push(answer)
      return store.complete(use, answer)
    }
    const redactor = createRedactor(['canary "of" the shop'])
    const { send, model } = await open({ redactor, idempotency: { ...store, complete } })
    model.answer = async () => 'It is canary "of" the shop.'
    const text = 'What is canary "of" the shop?'
    const body = suffix === '/batch' ? { tasks: [text] } : { task: text }
    const secret = 'canary \\"of\\" the shop'
    expect(await (await send(`/tactics/shout${suffix}`, body)).text()).toContain(secret)
    const again = await (await send(`/tactics/shout${suffix}`, body)).text()
    expect(again).toContain('[redacted]')
    expect(() => JSON.parse(again)).not.toThrow()
    expect(kept.map((answer) => answer.body)).toEqual([again])
  })

  test('is told of in the document of the service, where one is taken and nowhere else', async () => {
    const { server } = await open()
    const { paths } = (await server.inject('/openapi.json')).json()
    const takesKey = (path: string, method: string) =>
      JSON.stringify(paths[path][method].parameters).includes('#/components/parameters/IdempotencyKey')
    expect(takesKey('/tactics/shout', 'post')).toBe(true)
    expect(takesKey('/tactics/shout/batch', 'post')).toBe(true)
    expect(takesKey('/tactics/shout/stream', 'post')).toBe(false)
    expect(takesKey('/tactics/shout/batch/stream', 'post')).toBe(false)
    expect(takesKey('/sessions', 'get')).toBe(false)
    const { responses } = paths['/tactics/shout'].post
    expect(responses[200].headers).toHaveProperty('idempotency-replayed')
    expect(responses[409].description).toContain('idempotency-conflict')
    expect(responses[409].headers).toHaveProperty('retry-after')
    expect(responses[422].description).toContain('idempotency-mismatch')
    expect(responses[422].headers).not.toHaveProperty('retry-after')
  })

  test('that is not given costs nothing: the store is not asked', async () => {
    const keys = fragileKeys()
    const { url } = await open(keys)
    expect((await post(`${url}/tactics/shout`, task)).status).toBe(200)
    expect(keys.calls).toEqual([])
  })
})
