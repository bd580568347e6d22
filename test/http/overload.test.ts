import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { defaultTenant } from '../../src/domain/tenant.ts'
import { createAdmission } from '../../src/http/admission.ts'
import { listen, never, openService, type ServiceSketch, type TestService } from './service.ts'
import { post, readEvents } from './stream-client.ts'

const forever = new AbortController().signal

describe('the door of the service', () => {
  test('lets in as many calls as there are places, and the next one when one has ended', async () => {
    const admission = createAdmission({ callsMax: 2, queueMax: 1 })
    const leave = await admission.enter(defaultTenant, 1, forever)
    await admission.enter(defaultTenant, 1, forever)
    const third = admission.enter(defaultTenant, 1, forever)
    await expect(admission.enter(defaultTenant, 1, forever)).rejects.toMatchObject({ code: 'overloaded' })
    leave()
    await third
    expect(getEventListeners(forever, 'abort')).toEqual([])
  })

  test('keeps to the order of arrival, also where a later call would find a place sooner', async () => {
    const admission = createAdmission({ callsMax: 2, queueMax: 3 })
    const leave = await admission.enter(defaultTenant, 1, forever)
    const admitted: string[] = []
    const large = admission.enter(defaultTenant, 2, forever).then((leaveLarge) => {
      admitted.push('large')
      leaveLarge()
    })
    const small = admission.enter(defaultTenant, 1, forever).then(() => admitted.push('small'))
    leave()
    await Promise.all([large, small])
    expect(admitted).toEqual(['large', 'small'])
  })

  test('lets go of a call that is stopped while it waits, and of whatever that held up', async () => {
    const admission = createAdmission({ callsMax: 2, queueMax: 3 })
    await admission.enter(defaultTenant, 1, forever)
    const client = new AbortController()
    const large = admission.enter(defaultTenant, 2, client.signal)
    const small = admission.enter(defaultTenant, 1, forever)
    client.abort()
    await expect(large).rejects.toMatchObject({ code: 'cancelled' })
    await small
  })

  test('gives a free place to the tenant with the fewest, and each its turn', async () => {
    const admission = createAdmission({ callsMax: 2, queueMax: 9 })
    const admitted: string[] = []
    const leaves: (() => void)[] = []
    const enter = (tenant: string) =>
      admission.enter(tenant, 1, forever).then((leave) => {
        admitted.push(tenant)
        leaves.push(leave)
      })
    const waiting = ['evil', 'evil', 'evil', 'evil', 'evil', 'acme', 'globex', 'acme'].map(enter)
    for (const count of [2, 3, 4, 5, 6, 7, 8]) {
      await vi.waitUntil(() => admitted.length === count)
      leaves.shift()?.()
    }
    await Promise.all(waiting)
    expect(admitted).toEqual(['evil', 'evil', 'acme', 'evil', 'globex', 'acme', 'evil', 'evil'])
  })

  test('keeps a full line from being all of one tenant, whose last comers make room', async () => {
    const changes: number[] = []
    const admission = createAdmission({ callsMax: 1, queueMax: 3 }, (change) => changes.push(change))
    const leave = await admission.enter('evil', 1, forever)
    const ends: string[] = []
    const enter = (tenant: string, name: string, places = 1) =>
      admission.enter(tenant, places, forever).then(
        (leaveAgain) => {
          ends.push(`${name} came in`)
          leaveAgain()
        },
        ({ code }) => void ends.push(`${name} is ${code}`),
      )
    void enter('evil', 'first')
    void enter('evil', 'second')
    void enter('evil', 'third')
    await enter('evil', 'fourth')
    void enter('acme', 'other')
    await enter('acme', 'one too many', 3)
    await enter('acme', 'as many as theirs')
    expect(ends.toSorted()).toEqual([
      'as many as theirs is overloaded',
      'fourth is overloaded',
      'one too many is overloaded',
      'third is overloaded',
    ])
    leave()
    await vi.waitUntil(() => ends.length === 7)
    expect(ends.slice(4)).toEqual(['first came in', 'other came in', 'second came in'])
    expect(changes).toEqual([1, 1, 1, -1, 1, -1, -1, -1])
    expect(getEventListeners(forever, 'abort')).toEqual([])
  })

  test('never has more under way or waiting than it may, and forgets nobody', async () => {
    const steps = fc.array(
      fc.record({
        tenant: fc.constantFrom('acme', 'globex', 'evil'),
        places: fc.integer({ min: 1, max: 3 }),
        what: fc.constantFrom('enter', 'leave', 'stop'),
      }),
      { maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        let waiting = 0
        const admission = createAdmission({ callsMax: 3, queueMax: 4 }, (change) => (waiting += change))
        const inside: { readonly places: number; readonly leave: () => void }[] = []
        const outside: AbortController[] = []
        const settled: Promise<unknown>[] = []
        const check = () => {
          expect(inside.reduce((sum, { places }) => sum + places, 0)).toBeLessThanOrEqual(3)
          expect(waiting).toBeLessThanOrEqual(4)
        }
        for (const { tenant, places, what } of given) {
          if (what === 'leave') inside.shift()?.leave()
          if (what === 'stop') outside.pop()?.abort()
          if (what === 'enter') {
            const client = new AbortController()
            outside.push(client)
            const entered = admission.enter(tenant, places, client.signal).then(
              (leave) => void inside.push({ places, leave }),
              () => {},
            )
            settled.push(entered)
          }
          await Promise.resolve()
          check()
        }
        // Once all leave, all who wait come in: nobody is left in the line.
        const all = Promise.all(settled).then(() => 'settled')
        for (let turn = 0; turn < 100; turn++) {
          inside.shift()?.leave()
          await Promise.resolve()
          check()
        }
        expect(await Promise.race([all, new Promise((resolve) => setImmediate(resolve, 'stuck'))])).toBe('settled')
        for (const { leave } of inside) leave()
        await admission.enter(defaultTenant, 3, forever)
      }),
    )
  })
})

/** A service with a model that answers when it is told to. */
async function openBusyService(settings: ServiceSketch['settings']) {
  const service = await openService({ settings: { ...settings } })
  const releases: (() => void)[] = []
  service.model.answer = (_request, signal) =>
    Promise.race([new Promise<string>((resolve) => releases.push(() => resolve('done'))), never(signal)])
  const baseUrl = await listen(service)
  return {
    service,
    call: (payload: object = {}, signal?: AbortSignal) =>
      post(`${baseUrl}/tactics/shout`, { task: 'a', ...payload }, signal === undefined ? {} : { signal }),
    postTo: (path: string, payload: object) => post(baseUrl + path, payload),
    release: () => releases.shift()?.(),
    asked: (count: number) => vi.waitFor(() => expect(service.model.callCount).toBe(count)),
    /** Resolves once so many calls have been taken in, whether they wait or not. */
    entered: (count: number) => vi.waitFor(() => expect(takenIn(service)).toBe(count)),
  }
}

function takenIn({ server }: TestService) {
  return server.lllm.shutdown.callsUnderWay
}

describe('a service with one place and one to wait', () => {
  const settings = { callsMax: 1, queueMax: 1 }

  test('answers the third call with 503 and when to come back, and the others in turn', async () => {
    const { call, entered, asked, release, service } = await openBusyService(settings)
    const first = call()
    await asked(1)
    const second = call()
    await entered(2)
    const third = await call()
    expect(third.status).toBe(503)
    expect(third.headers.get('retry-after')).toBe('5')
    expect(await third.json()).toMatchObject({ code: 'overloaded', retryable: true })
    expect(service.model.callCount).toBe(1)
    // Whoever only looks is served meanwhile.
    expect((await service.server.inject('/sessions')).statusCode).toBe(200)

    release()
    expect((await first).status).toBe(200)
    await asked(2)
    release()
    expect((await second).status).toBe(200)
  })

  test('refuses streams in the same way, before they begin', async () => {
    const { call, postTo, entered, asked, release } = await openBusyService(settings)
    const first = call()
    await asked(1)
    const second = postTo('/tactics/shout/stream', { task: 'a' })
    await entered(2)
    for (const path of ['/tactics/shout/stream', '/tactics/shout/batch', '/tactics/shout/batch/stream']) {
      const refused = await postTo(path, path.includes('batch') ? { tasks: ['a'] } : { task: 'a' })
      expect(await refused.json()).toMatchObject({ status: 503, code: 'overloaded' })
    }
    release()
    await first
    await asked(2)
    release()
    expect((await readEvents(await second)).at(-1)?.name).toBe('end')
  })

  test('lets a call wait no longer than its time, which begins with its arrival', async () => {
    const { call, asked, service } = await openBusyService(settings)
    const client = new AbortController()
    const first = call({}, client.signal)
    await asked(1)
    const second = await call({ timeout_ms: 50 })
    expect(await second.json()).toMatchObject({ status: 504, code: 'deadline-exceeded' })
    expect(service.model.callCount).toBe(1)
    client.abort()
    await expect(first).rejects.toThrow()
  })

  test('forgets a call whose client goes away while it waits', async () => {
    const { call, entered, asked, release, service } = await openBusyService(settings)
    const first = call()
    await asked(1)
    const client = new AbortController()
    const second = call({}, client.signal)
    await entered(2)
    client.abort()
    await expect(second).rejects.toThrow()
    await entered(1)
    const third = call()
    await entered(2)
    release()
    await first
    await asked(2)
    release()
    expect((await third).status).toBe(200)
    expect(service.logLines.map(({ status }) => status).toSorted()).toEqual([200, 200, 499])
  })

  test('tells those who wait when it stops', async () => {
    const { call, entered, asked, service } = await openBusyService(settings)
    const answers = [call()]
    await asked(1)
    answers.push(call())
    await entered(2)
    service.server.lllm.shutdown.stop()
    for (const answer of answers) expect(await (await answer).json()).toMatchObject({ status: 503, code: 'draining' })
    expect(service.model.callCount).toBe(1)
  })
})

test('a batch takes a place for each of its workers, and has no more workers than there are places', async () => {
  const { postTo, call, asked, release, entered } = await openBusyService({ callsMax: 3, queueMax: 3 })
  const batch = postTo('/tactics/shout/batch', { tasks: Array(5).fill('a'), max_workers: 10 })
  await asked(3)
  const other = call()
  await entered(2)
  for (let count = 1; count <= 5; count++) {
    release()
    if (count <= 2) await asked(3 + count)
  }
  expect(await (await batch).json()).toMatchObject({ counts: { success: 5 } })
  await asked(6)
  release()
  expect((await other).status).toBe(200)
})
