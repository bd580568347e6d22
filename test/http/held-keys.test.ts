import { describe, expect, test, vi } from 'vitest'
import type { Authenticator, KeyJudge } from '../../src/domain/authenticator.ts'
import type { Caller } from '../../src/domain/caller.ts'
import { LllmError } from '../../src/domain/errors.ts'
import { farAway, hold, runClient } from './run-client.ts'
import { listen, never, openService } from './service.ts'
import { eventsOf, heldWorld, linesOf, post, readEvents } from './stream-client.ts'

const authorization = 'Bearer some-key'
const askedAgainMs = 15_000

/** A service whose only caller has a key, which holds until a test says otherwise. */
async function open(caller: Partial<Caller> = {}) {
  const held = heldWorld()
  const key = { isRevoked: false, isUnknown: false }
  const whole: Caller = { tenant: 'default', keyId: 'k', isRevocable: true, scopes: ['admin'], limits: {}, ...caller }
  const authenticator: Authenticator & KeyJudge = {
    isOpen: async () => false,
    async authenticate() {
      if (key.isUnknown) throw new LllmError('store-unavailable', 'The database is away.')
      if (key.isRevoked) throw new LllmError('unauthenticated', 'The key was revoked.')
      return whole
    },
    refusalOf: async () => (key.isRevoked ? 'was revoked' : undefined),
  }
  const service = await openService({ authenticator, world: held.world })
  const url = await listen(service)
  const headers = { authorization }
  const untilAsked = () => vi.waitUntil(() => held.waits().includes(askedAgainMs), { interval: 2 })
  return {
    service,
    key,
    url,
    headers,
    ...runClient(service, headers),
    follow: (id: string, lastId = 0) => fetch(`${url}/runs/${id}/events?after=${lastId}`, { headers }),
    /** Has everybody asked again who is asked now and then. */
    async askAgain() {
      await untilAsked()
      held.pass(askedAgainMs)
    },
    revoke: () => Object.assign(key, { isRevoked: true }),
  }
}

const refused = { status: 401, code: 'unauthenticated', detail: 'The key was revoked.', retryable: false }

/** Reads events to their end. Something happens when an agent has started. */
async function namesOf(answer: Response, onStarted: () => unknown): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { name } of eventsOf(answer)) {
    names.push(name)
    if (name === 'agent.started') await onStarted()
  }
  return names
}

describe('a key that is revoked while an answer takes its time', () => {
  test('is told no more of a run, and may go on where it was once there is another', async () => {
    const { service, submit, follow, revoke, askAgain, key, ended } = await open()
    const gate = hold(service.model)
    const id = await submit()
    await gate.asked
    const read: { readonly name: string; readonly id: number; readonly data: object }[] = []
    for await (const event of eventsOf(await follow(id))) {
      read.push(event)
      if (event.name !== 'agent.started') continue
      revoke()
      await askAgain()
    }
    expect(read.map(({ name }) => name)).toEqual(['session.started', 'agent.started', 'error', 'end'])
    expect(read.at(-2)).toMatchObject({ id: Number.NaN, data: { ...refused, instance: `/runs/${id}/events` } })
    expect(read.at(-1)).toMatchObject({ id: Number.NaN })
    Object.assign(key, { isRevoked: false })
    gate.open()
    await ended(id)
    expect((await readEvents(await follow(id, read[1]?.id))).map(({ name }) => name)).toEqual([
      'agent.completed',
      'result',
      'end',
    ])
  })

  test('is not told the result of a run, also where that comes first', async () => {
    const { service, submit, follow, revoke } = await open()
    const gate = hold(service.model)
    const id = await submit()
    await gate.asked
    const names = await namesOf(await follow(id), () => {
      revoke()
      gate.open()
    })
    expect(names.slice(-2)).toEqual(['error', 'end'])
  })

  test('waits for a run in vain', async () => {
    const { service, submit, get, revoke, askAgain } = await open()
    const gate = hold(service.model)
    const id = await submit()
    await gate.asked
    const waiting = get(`/runs/${id}/wait?timeout_ms=60000`)
    await askAgain()
    revoke()
    await askAgain()
    expect((await waiting).body).toMatchObject(refused)
  })

  test('has its stream stopped, with what the call has cost so far', async () => {
    const { service, url, headers, revoke, askAgain } = await open()
    service.model.answer = (_request, signal) => never(signal)
    const names: string[] = []
    let error: object | undefined
    for await (const { name, data } of eventsOf(
      await post(`${url}/tactics/shout/stream`, { task: 'a' }, { headers }),
    )) {
      names.push(name)
      if (name === 'error') error = data
      if (name !== 'agent.started') continue
      revoke()
      await askAgain()
    }
    expect(names.slice(-2)).toEqual(['error', 'end'])
    expect(error).toMatchObject({ ...refused, session_id: expect.any(String) })
    expect((await service.app.store.list({}, 10)).data).toMatchObject([{ state: 'cancelled' }])
  })

  test('has its stream of a batch stopped, and is told why on the last line', async () => {
    const { service, url, headers, revoke, askAgain } = await open()
    service.model.answer = (_request, signal) => never(signal)
    const asked = post(`${url}/tactics/shout/batch/stream`, { tasks: ['a', 'b'], max_workers: 1 }, { headers })
    await vi.waitUntil(() => service.model.callCount === 1)
    revoke()
    await askAgain()
    const lines = (await Array.fromAsync(linesOf(await asked))).map((line) => JSON.parse(line))
    expect(lines.at(-1)).toMatchObject({ end: true, error: refused, counts: { success: 0 } })
    expect(service.model.callCount).toBe(1)
  })

  test('goes on while nobody can say whether it holds', async () => {
    const { service, submit, follow, key, askAgain } = await open()
    const gate = hold(service.model)
    const id = await submit()
    await gate.asked
    const names = await namesOf(await follow(id), async () => {
      Object.assign(key, { isUnknown: true })
      await askAgain()
      gate.open()
    })
    expect(names.slice(-2)).toEqual(['result', 'end'])
  })
})

describe('a token that expires while an answer takes its time', () => {
  const token = { keyId: 'somebody@example.org', isRevocable: undefined }

  test('is told no more of a run', async () => {
    const { submit, follow, revoke, askAgain } = await open(token as never)
    const id = await submit('a', { run_at: farAway })
    const response = await follow(id)
    revoke()
    await askAgain()
    expect(await readEvents(response)).toMatchObject([{ name: 'error', data: refused }, { name: 'end' }])
  })

  test('has the call that it began with', async () => {
    const { service, url, headers, revoke } = await open(token as never)
    const gate = hold(service.model)
    const asked = post(`${url}/tactics/shout/stream`, { task: 'a' }, { headers })
    await gate.asked
    revoke()
    gate.open()
    expect((await readEvents(await asked)).map(({ name }) => name).slice(-2)).toEqual(['result', 'end'])
  })
})

describe('runs of a key', () => {
  test('are not started once it is revoked, and say why', async () => {
    const { service, submit, revoke, key, untilState, get, ended } = await open({ limits: { concurrency: 1 } })
    const gate = hold(service.model)
    const first = await submit()
    await gate.asked
    const second = await submit('later')
    revoke()
    gate.open()
    await vi.waitUntil(async () => (await service.runStore.get(second))?.state === 'cancelled', { interval: 5 })
    Object.assign(key, { isRevoked: false })
    await untilState(first, 'success')
    expect((await get(`/runs/${second}`)).body).toMatchObject({
      cancel_reason: 'its key was revoked',
      error: { code: 'cancelled', message: 'The run was cancelled: its key was revoked' },
      llm_calls: 0,
    })
    expect(service.model.callCount).toBe(1)
    expect(await ended(second)).toMatchObject({ state: 'cancelled' })
  })

  test('are from then on those of the key that they are resumed with', async () => {
    const { submit, post: ask, ended, service } = await open()
    const id = await submit('a', { run_at: farAway })
    await ask(`/runs/${id}/cancel`)
    expect((await ask(`/runs/${id}/resume`)).status).toBe(202)
    expect(await ended(id)).toMatchObject({ state: 'success' })
    expect(await service.runStore.get(id)).toMatchObject({ key: { id: 'k', concurrency: null } })
  })
})
