import { describe, expect, onTestFinished, test } from 'vitest'
import type { NewRun, Run } from '../../src/domain/run.ts'
import type { RunStore } from '../../src/domain/run-store.ts'
import type { Session } from '../../src/domain/session.ts'
import type { DeliveryAttempt } from '../../src/domain/webhook.ts'
import type { WebhookStore } from '../../src/domain/webhook-store.ts'
import { buildRun } from '../support/runs.ts'
import { range } from '../support/session-stores.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

export interface OpenedWebhookStores {
  readonly runs: RunStore
  /** The same deliveries, as two processes have them; or as one has them, twice. */
  readonly stores: readonly [WebhookStore, WebhookStore]
  close(): Promise<void>
}

function newRun(number: number, url: string | null = 'https://example.org/hook', more: Partial<NewRun> = {}): NewRun {
  return buildRun({
    id: sessionId(number),
    tactic: 'summary',
    tags: { team: 'red' },
    request: { metadata: { from: 'test' }, webhook: url === null ? null : { url } },
    ...more,
  })
}

const claiming = { slots: 100, hostMax: 100, hostsBusy: {}, leaseMs: 60_000 }
const answered = (status: number): DeliveryAttempt => ({ startedAtMs: 5_000, durationMs: 7, status, fault: null })

async function end(runs: RunStore, { id, attempt }: Run, more: Partial<Session> = {}) {
  const session = buildSession({ id, ...more })
  const event = { seq: 1, event: { type: 'result', result: session.result, cost: session.cost } } as const
  await runs.finish({ runId: id, attempt }, { session, event, journal: [] })
}

/** What every store of deliveries keeps to, wherever it keeps them. */
export function webhookStoreContract(name: string, open: () => Promise<OpenedWebhookStores>) {
  async function openStores() {
    const opened = await open()
    onTestFinished(() => opened.close())
    const { runs } = opened
    const [store, other] = opened.stores
    return {
      runs,
      store,
      other,
      /** Has runs come to their ends. */
      async endRuns(submitted: readonly NewRun[]) {
        await runs.submit({ runs: submitted })
        const owner = { owner: 'one', concurrencyMax: 1_000, leaseMs: 60_000, takesOver: false }
        for (const run of await runs.claim({ ...owner, slots: submitted.length })) await end(runs, run)
      },
    }
  }

  describe(`${name}: webhooks`, () => {
    test('there is one for each end of a run that has a receiver, however often the end is written', async () => {
      const { runs, store, endRuns } = await openStores()
      await endRuns([newRun(1), newRun(2, null)])
      await end(runs, { id: sessionId(1), attempt: 1 } as Run)
      const due = await store.claim(claiming)
      expect(due).toMatchObject([
        { runId: sessionId(1), url: 'https://example.org/hook', host: 'example.org', tries: 0 },
      ])
      expect(JSON.parse(due[0]?.body ?? '')).toEqual({
        type: 'run.succeeded',
        timestamp: '2026-11-22T10:00:01.234Z',
        data: {
          id: sessionId(1),
          tactic: 'summary',
          tactic_id: 'demo::summary',
          state: 'success',
          tags: { team: 'red' },
          metadata: { from: 'test' },
          result: 'Bees are busy.',
          cost_usd: expect.any(Number),
          created_at: '1970-01-01T00:00:01.000Z',
          ended_at: '2026-11-22T10:00:01.234Z',
          batch_id: null,
        },
      })
      expect(await store.ofRun(sessionId(2))).toEqual([])
    })

    test('each says whose run it is about, also to its receiver where that is not the operator', async () => {
      const { store, endRuns } = await openStores()
      await endRuns([newRun(1), newRun(2, undefined, { tenant: 'acme' })])
      const due = await store.claim(claiming)
      const told = due.map(({ runId, tenant, body }) => [runId, tenant, JSON.parse(body).data.tenant])
      expect(told.toSorted()).toEqual([
        [sessionId(1), 'default', undefined],
        [sessionId(2), 'acme', 'acme'],
      ])
    })

    test('there is one of a run that is cancelled while it waits, alone or with its batch', async () => {
      const { runs, store } = await openStores()
      const place = { tenant: 'default', tactic: 'summary', tacticId: 'demo::summary' }
      const batch = { id: 'batch-1', ...place, tags: {}, createdAtMs: 1_000 }
      const inBatch = newRun(2, undefined, { batchId: batch.id, batchIndex: 0 })
      await runs.submit({ runs: [newRun(1)] })
      await runs.submit({ runs: [inBatch], batch })
      await runs.cancel(sessionId(1), 'no need')
      await runs.cancelBatch(batch.id, 'no need')
      const bodies = (await store.claim(claiming)).map(({ body }) => JSON.parse(body))
      expect(bodies.map(({ type, data }) => [type, data.id, data.batch_id, data.error.code]).sort()).toEqual([
        ['run.cancelled', sessionId(1), null, 'cancelled'],
        ['run.cancelled', sessionId(2), 'batch-1', 'cancelled'],
      ])
    })

    test('a result that is too long is left out, and said to be', async () => {
      const { runs, store } = await openStores()
      await runs.submit({ runs: [newRun(1)] })
      const [run] = await runs.claim({ owner: 'one', slots: 1, concurrencyMax: 1, leaseMs: 60_000, takesOver: false })
      await end(runs, run as Run, { result: 'x'.repeat(100_000) })
      const [due] = await store.claim(claiming)
      const { data } = JSON.parse(due?.body ?? '')
      expect([data.result_omitted, 'result' in data]).toEqual([true, false])
    })

    test('nobody else is given what somebody tries, until its lease is over', async () => {
      const { store, other, endRuns } = await openStores()
      await endRuns(range(20).map((number) => newRun(number)))
      const claims = await Promise.all(
        range(10).map((number) => (number % 2 === 0 ? store : other).claim({ ...claiming, slots: 3 })),
      )
      const ids = claims.flat().map(({ id }) => id)
      expect([ids.length, new Set(ids).size]).toEqual([20, 20])
      expect(await other.claim(claiming)).toEqual([])
    })

    test('what was not written down within its lease is tried again, and then by one alone', async () => {
      const { store, other, endRuns } = await openStores()
      await endRuns([newRun(1)])
      const [first] = await store.claim({ ...claiming, leaseMs: 0 })
      const [second] = await other.claim(claiming)
      if (first === undefined || second === undefined) throw new Error('It was not due again.')
      expect(second.id).toBe(first.id)
      expect(await store.record(first, answered(200), { kind: 'delivered' })).toBe(false)
      expect(await other.record(second, answered(200), { kind: 'delivered' })).toBe(true)
    })

    test('a host that is busy leaves places for the others', async () => {
      const { store, endRuns } = await openStores()
      const slow = range(30).map((number) => newRun(number, 'https://slow.example/hook'))
      await endRuns([...slow, newRun(31, 'https://fast.example/hook'), newRun(32, 'https://fast.example:8443/')])
      const first = await store.claim({ ...claiming, slots: 10, hostMax: 4 })
      expect(first.map(({ host }) => host).sort()).toEqual([
        'fast.example',
        'fast.example:8443',
        ...range(4).map(() => 'slow.example'),
      ])
      expect(await store.claim({ ...claiming, hostMax: 4, hostsBusy: { 'slow.example': 4 } })).toEqual([])
      expect(await store.claim({ ...claiming, hostMax: 4, hostsBusy: { 'slow.example': 3 } })).toHaveLength(1)
    })

    test('each attempt is kept, and what becomes of the delivery', async () => {
      const { store, endRuns } = await openStores()
      await endRuns([newRun(1)])
      const [first] = await store.claim(claiming)
      if (first === undefined) throw new Error('Nothing was due.')
      await store.record(first, answered(500), { kind: 'retry', afterMs: 0 })
      const [second] = await store.claim(claiming)
      expect(second).toMatchObject({ id: first.id, tries: 1, body: first.body })
      if (second === undefined) throw new Error('It was not due again.')
      await store.record(second, answered(200), { kind: 'delivered' })
      expect(await store.claim(claiming)).toEqual([])
      expect(await store.ofRun(sessionId(1))).toEqual([
        {
          id: first.id,
          runId: sessionId(1),
          type: 'run.succeeded',
          url: 'https://example.org/hook',
          state: 'delivered',
          createdAtMs: expect.any(Number),
          nextAttemptAtMs: null,
          attemptCount: 2,
          attempts: [answered(500), answered(200)],
        },
      ])
    })

    test('what waits for its next attempt is not due before', async () => {
      const { store, endRuns } = await openStores()
      await endRuns([newRun(1)])
      const [due] = await store.claim(claiming)
      if (due === undefined) throw new Error('Nothing was due.')
      await store.record(due, answered(500), { kind: 'retry', afterMs: 60_000 })
      expect(await store.claim(claiming)).toEqual([])
      const [delivery] = await store.ofRun(sessionId(1))
      expect(delivery).toMatchObject({ state: 'pending' })
      expect(Number(delivery?.nextAttemptAtMs) - Number(delivery?.createdAtMs)).toBeGreaterThanOrEqual(60_000)
    })

    test('whatever has come of it, it is tried again for whoever asks', async () => {
      const { store, endRuns } = await openStores()
      await endRuns([newRun(1)])
      const [due] = await store.claim(claiming)
      if (due === undefined) throw new Error('Nothing was due.')
      await store.record(due, answered(410), { kind: 'failed' })
      expect(await store.redeliver(sessionId(2), due.id)).toBe(false)
      expect(await store.claim(claiming)).toEqual([])
      const others = store.of('globex')
      expect(await others.ofRun(sessionId(1))).toEqual([])
      expect(await others.redeliver(sessionId(1), due.id)).toBe(false)
      expect(await store.redeliver(sessionId(1), due.id)).toBe(true)
      expect(await store.claim(claiming)).toMatchObject([{ id: due.id, tries: 0 }])
    })

    test('they are gone with their run', async () => {
      const { runs, store, endRuns } = await openStores()
      await endRuns([newRun(1)])
      const [due] = await store.claim(claiming)
      await runs.delete(sessionId(1))
      expect(await store.ofRun(sessionId(1))).toEqual([])
      expect(await store.record(due ?? { id: '', claim: 0 }, answered(200), { kind: 'delivered' })).toBe(false)
    })
  })
}
