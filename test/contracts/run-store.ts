import { describe, expect, onTestFinished, test } from 'vitest'
import { noCost } from '../../src/domain/cost.ts'
import { type KeptRun, type NewRun, type Run, withoutTask } from '../../src/domain/run.ts'
import type { RunEnd, RunStore } from '../../src/domain/run-store.ts'
import type { Session } from '../../src/domain/session.ts'
import type { SessionStore } from '../../src/domain/session-store.ts'
import { buildRun } from '../support/runs.ts'
import { range } from '../support/session-stores.ts'
import { buildSession } from '../support/sessions.ts'

export interface OpenedRunStores {
  /** The same runs, as two processes have them; or as one has them, twice. */
  readonly stores: readonly [RunStore, RunStore]
  readonly sessions: Pick<SessionStore, 'get'>
  /** Makes all owners look as if they had been silent for too long. Undefined: a process alone has its runs as soon as it asks. */
  readonly expireLeases?: () => Promise<void>
  close(): Promise<void>
}

const request: NewRun['request'] = {
  task: 'bees',
  config: 'default',
  timeoutMs: 60_000,
  budgetUsd: null,
  limits: {},
  metadata: { from: 'test' },
  webhook: null,
}

/** A run whose id and whose time follow its number. */
export function newRun(number: number, more: Partial<NewRun> = {}): NewRun {
  return buildRun({
    id: `run-${String(number).padStart(4, '0')}`,
    tactic: 'summary',
    createdAtMs: 1_000 + number,
    request,
    ...more,
  })
}

export const claiming = { owner: 'one', slots: 100, concurrencyMax: 1_000, leaseMs: 60_000, takesOver: false }

export function endOf({ id }: Run, more: Partial<Session> = {}, seq = 1): RunEnd {
  const session = buildSession({ id, ...more })
  const error = { code: 'tactic-failed', message: 'It failed.' } as const
  const ended: Session = session.state === 'failure' ? { ...session, result: null, error } : session
  const event =
    ended.error === null
      ? ({ type: 'result', result: ended.result, cost: ended.cost } as const)
      : ({ type: 'error', error: ended.error, cost: ended.cost } as const)
  return { session: ended, event: { seq, event }, journal: [] }
}

/** What every store of runs keeps to, wherever it keeps them. */
export function runStoreContract(name: string, open: () => Promise<OpenedRunStores>) {
  async function openStores() {
    const opened = await open()
    onTestFinished(() => opened.close())
    const [store, other] = opened.stores
    return { ...opened, store, other }
  }

  describe(`${name}: runs`, () => {
    test('are kept as they were submitted, and twice is once', async () => {
      const { store } = await openStores()
      const run = newRun(1, { tags: { team: 'red\u0000 \ud800' }, priority: 7 })
      await store.submit({ runs: [run] })
      await store.submit({ runs: [run] })
      expect(await store.get(run.id)).toEqual({
        ...run,
        state: 'queued',
        attempt: 0,
        startedAtMs: null,
        endedAtMs: null,
        owner: null,
        cancelReason: null,
        cost: noCost,
        llmCalls: 0,
        outcome: null,
      })
      expect((await store.list({}, 10)).data).toHaveLength(1)
      expect(await store.get('other')).toBeUndefined()
    })

    test('are listed newest first, by what is asked for, in pages that stay in step', async () => {
      const { store } = await openStores()
      const tags = { team: 'red' }
      await store.submit({ runs: range(7).map((number) => newRun(number, number % 2 === 0 ? { tags } : {})) })
      const first = await store.list({ tags }, 2)
      expect(first.data.map(({ id }) => id)).toEqual(['run-0006', 'run-0004'])
      await store.submit({ runs: [newRun(8, { tags })] })
      const second = await store.list({ tags }, 2, first.next ?? undefined)
      expect(second.data.map(({ id }) => id)).toEqual(['run-0002', 'run-0000'])
      expect(second.next).toBeNull()
      expect((await store.list({ state: 'queued' }, 100)).data).toHaveLength(8)
      expect((await store.list({ state: 'running' }, 100)).data).toEqual([])
      expect((await store.list({ tactic: 'demo::summary' }, 100)).data).toHaveLength(8)
      expect((await store.list({ tactic: 'other' }, 100)).data).toEqual([])
    })

    test('start by priority and then by how long they are due, and not before', async () => {
      const { store } = await openStores()
      const far = Date.now() + 3_600_000
      const runs = [newRun(1), newRun(2, { priority: 5 }), newRun(3, { runAtMs: 10 }), newRun(4, { runAtMs: far })]
      expect(await store.counts()).toEqual({ queued: 0, running: 0, oldestDueAtMs: null })
      await store.submit({ runs })
      expect(await store.counts()).toEqual({ queued: 4, running: 0, oldestDueAtMs: 10 })
      const claimed = await store.claim(claiming)
      expect(claimed.map(({ id }) => id)).toEqual(['run-0002', 'run-0003', 'run-0001'])
      expect(claimed[0]).toMatchObject({ state: 'running', attempt: 1, owner: 'one', request })
      expect(await store.counts()).toEqual({ queued: 1, running: 3, oldestDueAtMs: far })
    })

    test('are never more at once than may be, and never started twice, whoever claims at the same time', async () => {
      const { store, other } = await openStores()
      await store.submit({ runs: range(30).map((number) => newRun(number)) })
      const claims = await Promise.all(
        range(20).map((number) =>
          (number % 2 === 0 ? store : other).claim({ ...claiming, slots: 3, concurrencyMax: 17 }),
        ),
      )
      const ids = claims.flat().map(({ id }) => id)
      expect(ids).toHaveLength(17)
      expect(new Set(ids).size).toBe(17)
    })

    test('write for the attempt that is under way, and for no other', async () => {
      const { store } = await openStores()
      await store.submit({ runs: [newRun(1)] })
      const lease = { runId: 'run-0001', attempt: 1 }
      const entry = { key: 'a.0', kind: 'model', state: 'begun', record: '{}' } as const
      await expect(store.write(lease, { journal: [entry] })).rejects.toMatchObject({ code: 'run-fenced' })
      await store.claim(claiming)
      const told = { seq: 1, event: { type: 'agent.delta', text: 'x' } } as never
      await store.write(lease, { journal: [entry], events: [told, { seq: 2, event: { type: 'run.resumed' } }] })
      await store.write(lease, { journal: [{ ...entry, state: 'done' }] })
      const writes = [
        store.write(lease, {}),
        store.write({ ...lease, attempt: 2 }, { journal: [{ ...entry, key: 'b.0' }] }),
      ]
      expect((await Promise.allSettled(writes)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      expect(await store.history('run-0001')).toEqual({
        journal: [{ ...entry, state: 'done' }],
        events: [{ seq: 2, event: { type: 'run.resumed' } }],
        lastSeq: 2,
      })
      expect((await store.events('run-0001', 0, 10)).map(({ seq }) => seq)).toEqual([1, 2])
      expect((await store.events('run-0001', 1, 10)).map(({ seq }) => seq)).toEqual([2])
    })

    test('end with their session, once', async () => {
      const { store, sessions } = await openStores()
      await store.submit({ runs: [newRun(1)] })
      const [run] = await store.claim(claiming)
      const lease = { runId: 'run-0001', attempt: 1 }
      const entry = { key: 'a.0', kind: 'model', state: 'done', record: '{}' } as const
      await store.write(lease, { journal: [entry] })
      const end = endOf(run as Run)
      await expect(store.finish({ ...lease, attempt: 2 }, end)).rejects.toMatchObject({ code: 'run-fenced' })
      await store.finish(lease, end)
      // Nobody knows whether a commit arrived whose answer was lost: saying it again does no harm.
      await store.finish(lease, end)
      expect(await store.get('run-0001')).toMatchObject({
        state: 'success',
        outcome: { ok: true },
        cost: end.session.cost,
        endedAtMs: end.session.endedAtMs,
      })
      expect(await sessions.get('run-0001')).toMatchObject({ id: 'run-0001', state: 'success' })
      expect(await store.history('run-0001')).toMatchObject({ journal: [], lastSeq: 1 })
      await expect(store.write(lease, { journal: [entry] })).rejects.toMatchObject({ code: 'run-fenced' })
      await expect(store.release(lease)).rejects.toMatchObject({ code: 'run-fenced' })
    })

    test('end without the texts that may not be kept', async () => {
      const { store } = await openStores()
      const run = newRun(1)
      await store.submit({ runs: [{ ...run, request: { ...run.request, task: 'canary-task', content: 'none' } }] })
      const [claimed] = await store.claim(claiming)
      const lease = { runId: 'run-0001', attempt: 1 }
      const place = { sessionId: 'run-0001', path: ['essay'] }
      const told = { type: 'progress', ...place, data: 'canary-progress' } as const
      const begun = { type: 'session.started', ...place, tactic: 'essay', startedAtMs: 0, simulated: true } as const
      await store.write(lease, {
        journal: [{ key: 'a.0', kind: 'model', state: 'done', record: '"canary-reply"' }],
        events: [
          { seq: 1, event: begun },
          { seq: 2, event: told },
        ],
      })
      const end = endOf(claimed as Run, { state: 'failure', task: null, agentCalls: [] }, 3)
      await store.finish(lease, { ...end, content: 'none', request: withoutTask((claimed as KeptRun).request) })
      expect((await store.events('run-0001', 0, 10)).map(({ event }) => event.type)).toEqual([
        'session.started',
        'error',
      ])
      expect(await store.history('run-0001')).toMatchObject({ journal: [] })
      expect(JSON.stringify(await store.get('run-0001'))).not.toContain('canary')
    })

    test('that are cancelled before they began are forgotten, where not all of their texts may be kept', async () => {
      const { store } = await openStores()
      const asked = (number: number, content: 'full' | 'redacted' | 'none') => {
        const run = newRun(number)
        return { ...run, request: { ...run.request, task: `canary-${number}`, content } }
      }
      const secret = asked(4, 'full')
      const runs = [asked(1, 'full'), asked(2, 'redacted'), asked(3, 'none')]
      await store.submit({ runs: [...runs, { ...secret, request: { ...secret.request, hasSecrets: true } }] })
      for (const id of ['run-0001', 'run-0002', 'run-0003', 'run-0004']) await store.cancel(id, 'no longer needed')
      expect((await store.get('run-0001'))?.request).toMatchObject({ task: 'canary-1' })
      expect((await store.get('run-0002'))?.request).toMatchObject({ task: null, content: 'none' })
      expect((await store.get('run-0003'))?.request).toMatchObject({ task: null, content: 'none' })
      expect((await store.get('run-0004'))?.request).toMatchObject({ task: null, content: 'none' })
    })

    test('are given back, and go on under another attempt', async () => {
      const { store } = await openStores()
      await store.submit({ runs: [newRun(1)] })
      const [first] = await store.claim(claiming)
      await store.release({ runId: 'run-0001', attempt: 1 })
      const [second] = await store.claim({ ...claiming, owner: 'two' })
      expect(second).toMatchObject({ attempt: 2, owner: 'two', startedAtMs: first?.startedAtMs })
      await expect(store.finish({ runId: 'run-0001', attempt: 1 }, endOf(first as Run))).rejects.toMatchObject({
        code: 'run-fenced',
      })
    })

    test('are taken over from an owner who is gone, and not before', async () => {
      const { store, other, expireLeases } = await openStores()
      await store.submit({ runs: [newRun(1)] })
      await store.claim(claiming)
      const takesOver = { ...claiming, owner: 'two', takesOver: true }
      if (expireLeases !== undefined) {
        expect(await other.claim(takesOver)).toEqual([])
        await expireLeases()
        expect(await other.claim({ ...takesOver, takesOver: false })).toEqual([])
        await store.beat('one', 60_000)
        expect(await other.claim(takesOver)).toEqual([])
        await expireLeases()
      }
      expect(await other.claim(takesOver)).toMatchObject([{ id: 'run-0001', attempt: 2, owner: 'two' }])
      expect(await store.beat('one', 60_000)).toEqual([])
      expect(await other.beat('two', 60_000)).toEqual([{ runId: 'run-0001', attempt: 2, cancelReason: null }])
    })

    test('are cancelled or started, not both, when both are wanted at once', async () => {
      const { store, other } = await openStores()
      const ids = range(40).map((number) => newRun(number).id)
      await store.submit({ runs: range(40).map((number) => newRun(number)) })
      const [answers, ...claims] = await Promise.all([
        Promise.all(ids.map((id) => store.cancel(id, 'no need'))),
        ...range(10).map(() => other.claim({ ...claiming, slots: 4 })),
      ])
      const started = new Set(claims.flat().map(({ id }) => id))
      for (const [index, id] of ids.entries()) {
        const isCancelled = answers[index] === 'cancelled'
        expect(isCancelled && started.has(id)).toBe(false)
        expect((await store.get(id))?.state === 'cancelled').toBe(isCancelled)
      }
    })

    test('end or are taken over, not both, when their owner comes back as another asks for them', async () => {
      const { store, other, expireLeases } = await openStores()
      await store.submit({ runs: range(40).map((number) => newRun(number)) })
      const runs = await store.claim(claiming)
      await expireLeases?.()
      const [ends, ...claims] = await Promise.all([
        Promise.allSettled(runs.map((run) => store.finish({ runId: run.id, attempt: 1 }, endOf(run)))),
        ...range(10).map(() => other.claim({ ...claiming, owner: 'two', slots: 4, takesOver: true })),
      ])
      const taken = new Set(claims.flat().map(({ id }) => id))
      for (const [index, { id }] of runs.entries()) {
        const hasEnded = ends[index]?.status === 'fulfilled'
        expect(hasEnded && taken.has(id)).toBe(false)
        expect((await store.get(id))?.state === 'success').toBe(hasEnded)
      }
    })

    test('that wait are cancelled at once, others by whoever works on them', async () => {
      const { store } = await openStores()
      await store.submit({ runs: [newRun(1), newRun(2)] })
      expect(await store.cancel('run-0002', 'no need')).toBe('cancelled')
      expect(await store.cancel('run-0002', 'again')).toBe('ended')
      expect(await store.cancel('run-9999', 'none')).toBe('unknown')
      expect(await store.get('run-0002')).toMatchObject({
        state: 'cancelled',
        cancelReason: 'no need',
        outcome: { ok: false, error: { code: 'cancelled' } },
      })
      expect((await store.events('run-0002', 0, 10)).map(({ event }) => event.type)).toEqual(['error'])
      expect(await store.claim(claiming)).toHaveLength(1)
      expect(await store.cancel('run-0001', 'too slow')).toBe('asked')
      expect(await store.beat('one', 60_000)).toMatchObject([{ runId: 'run-0001', cancelReason: 'too slow' }])
    })

    test('that failed are resumed: their end makes room, and failed entries are spent', async () => {
      const { store, sessions } = await openStores()
      await store.submit({ runs: [newRun(1)] })
      const [run] = await store.claim(claiming)
      const lease = { runId: 'run-0001', attempt: 1 }
      const entry = { kind: 'model', record: '{}' } as const
      expect(await store.resume('run-0001')).toBe('active')
      await store.write(lease, { journal: [{ ...entry, key: 'a.0', state: 'done' }] })
      const end = endOf(run as Run, { state: 'failure' }, 3)
      await store.finish(lease, { ...end, journal: [{ ...entry, key: 'b.0', state: 'failed' }] })
      expect(await store.resume('run-0001')).toBe('resumed')
      expect(await store.resume('run-9999')).toBe('unknown')
      expect(await store.get('run-0001')).toMatchObject({ state: 'queued', outcome: null, endedAtMs: null })
      expect(await sessions.get('run-0001')).toBeUndefined()
      const history = await store.history('run-0001')
      expect(history.journal.map(({ key, state }) => `${key} ${state}`).sort()).toEqual(['a.0 done', 'b.0 spent'])
      expect(history.events).toEqual([{ seq: 5, event: { type: 'run.resumed' } }])
      expect(await store.claim(claiming)).toMatchObject([{ attempt: 2 }])
    })

    test('that have ended are deleted with all that belongs to them', async () => {
      const { store, sessions } = await openStores()
      await store.submit({ runs: [newRun(1, { tags: { team: 'red' } })] })
      const [run] = await store.claim(claiming)
      expect(await store.delete('run-0001')).toBe('active')
      await store.finish({ runId: 'run-0001', attempt: 1 }, endOf(run as Run))
      expect(await store.delete('run-0001')).toBe('deleted')
      expect(await store.delete('run-0001')).toBe('unknown')
      expect(await store.events('run-0001', 0, 10)).toEqual([])
      expect(await sessions.get('run-0001')).toBeUndefined()
      expect((await store.list({ tags: { team: 'red' } }, 10)).data).toEqual([])
    })

    test('tell whoever watches, and no longer than that', async () => {
      const { store } = await openStores()
      const heard: string[] = []
      const stop = store.watch((change) => heard.push(change.kind === 'run' ? change.runId : change.kind))
      await store.submit({ runs: [newRun(1)] })
      expect(heard).toEqual(['work'])
      await store.cancel('run-0001', 'no need')
      expect(heard).toEqual(['work', 'run-0001'])
      stop()
      await store.submit({ runs: [newRun(2)] })
      expect(heard).toHaveLength(2)
    })
  })

  describe(`${name}: batches of runs`, () => {
    const batch = {
      tenant: 'default',
      id: 'batch-1',
      tactic: 'summary',
      tacticId: 'demo::summary',
      tags: { team: 'red' },
      createdAtMs: 1_000,
    }
    const runsOf = (count: number) =>
      range(count).map((number) => newRun(number, { batchId: batch.id, batchIndex: number }))

    test('have counts, a cost, and results in the order of their tasks', async () => {
      const { store } = await openStores()
      await store.submit({ runs: runsOf(250), batch })
      const [run] = await store.claim({ ...claiming, slots: 1 })
      const end = endOf(run as Run)
      await store.finish({ runId: run?.id ?? '', attempt: 1 }, end)
      expect(await store.batch(batch.id)).toEqual({
        ...batch,
        counts: { queued: 249, running: 0, success: 1, failure: 0, cancelled: 0 },
        cost: end.session.cost,
      })
      expect((await store.batchRuns(batch.id, 100, 5)).map(({ batchIndex }) => batchIndex)).toEqual([
        100, 101, 102, 103, 104,
      ])
      expect(await store.batch('other')).toBeUndefined()
      expect((await store.batches(10)).data.map(({ id }) => id)).toEqual([batch.id])
      expect((await store.list({ batchId: batch.id, state: 'success' }, 10)).data).toHaveLength(1)
    })

    test('are there for their tenant alone, as are its runs', async () => {
      const { store } = await openStores()
      const theirs = { ...batch, tenant: 'globex' }
      const run = newRun(0, { tenant: 'globex', batchId: batch.id, batchIndex: 0, tags: { team: 'red' } })
      await store.submit({ runs: [run], batch: theirs })
      const [globex, acme] = [store.of('globex'), store.of('acme')]
      for (const others of [acme, store]) {
        expect(await others.get(run.id)).toBeUndefined()
        expect((await others.list({}, 10)).data).toEqual([])
        expect((await others.list({ tags: { team: 'red' } }, 10)).data).toEqual([])
        expect(await others.batch(batch.id)).toBeUndefined()
        expect((await others.batches(10)).data).toEqual([])
        expect(await others.batchRuns(batch.id, 0, 10)).toEqual([])
        expect(await others.cancelBatch(batch.id, 'spite')).toBeUndefined()
        expect(await others.cancel(run.id, 'spite')).toBe('unknown')
        expect(await others.resume(run.id)).toBe('unknown')
        expect(await others.delete(run.id)).toBe('unknown')
      }
      expect(await globex.get(run.id)).toMatchObject({ id: run.id, tenant: 'globex', state: 'queued' })
      expect((await globex.list({ tags: { team: 'red' } }, 10)).data).toHaveLength(1)
      expect(await globex.cancelBatch(batch.id, 'enough')).toBe(1)
      expect(await globex.events(run.id, 0, 10)).toHaveLength(1)
      expect(await acme.events(run.id, 0, 10)).toEqual([])
      expect(await globex.delete(run.id)).toBe('deleted')
    })

    test('are cancelled as a whole', async () => {
      const { store } = await openStores()
      await store.submit({ runs: runsOf(150), batch })
      await store.claim({ ...claiming, slots: 2 })
      expect(await store.cancelBatch(batch.id, 'enough')).toBe(150)
      expect((await store.batch(batch.id))?.counts).toMatchObject({ queued: 0, running: 2, cancelled: 148 })
      expect((await store.beat('one', 60_000)).map(({ cancelReason }) => cancelReason)).toEqual(['enough', 'enough'])
      expect(await store.cancelBatch('other', 'enough')).toBeUndefined()
    })
  })
}
