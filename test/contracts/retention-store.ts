import { describe, expect, onTestFinished, test } from 'vitest'
import { type CleaningStep, firstIdOf, type RetentionPart, type RetentionStore } from '../../src/domain/retention.ts'
import type { KeptRun, NewRun, NewRunBatch, StoredRunEvent } from '../../src/domain/run.ts'
import type { RunStore } from '../../src/domain/run-store.ts'
import type { Session } from '../../src/domain/session.ts'
import type { SessionStore } from '../../src/domain/session-store.ts'
import type { WebhookStore } from '../../src/domain/webhook-store.ts'
import { buildRun } from '../support/runs.ts'
import { range } from '../support/session-stores.ts'
import { buildSession } from '../support/sessions.ts'

export interface OpenedRetentionStores extends SessionStore {
  readonly retention: RetentionStore
  readonly runs: RunStore
  readonly webhooks: WebhookStore
}

const dayMs = 86_400_000
const oldMs = Date.UTC(2026, 0, 1)
const beforeMs = oldMs + dayMs
const newMs = beforeMs + dayMs
const claiming = { owner: 'one', slots: 1_000, concurrencyMax: 1_000, leaseMs: 60_000, takesOver: false }

/** The id of something that was made at a time. */
function idAt(timeMs: number, number = 1): string {
  return firstIdOf(timeMs).slice(0, -12) + number.toString(16).padStart(12, '0')
}

function newRun(id: string, more: Partial<NewRun> = {}): NewRun {
  const request = { webhook: { url: 'https://example.org/hook' } }
  return buildRun({ id, createdAtMs: oldMs, runAtMs: oldMs, request, ...more })
}

function newBatch(): NewRunBatch {
  const tactic = { tactic: 'essay', tacticId: 'demo::essay' }
  return { id: idAt(oldMs), tenant: 'default', ...tactic, tags: {}, createdAtMs: oldMs }
}

const failed: Partial<Session> = {
  state: 'failure',
  result: null,
  error: { code: 'tactic-failed', message: 'It failed.' },
}
const journalEntry = { key: 'a', kind: 'model', state: 'done', record: '{}' } as const

/** What every store keeps to that removes what is old, wherever it keeps it. */
export function retentionStoreContract(name: string, open: () => Promise<OpenedRetentionStores>) {
  async function openStores() {
    const store = await open()
    onTestFinished(() => store.close())
    const { retention, runs } = store

    async function finish({ id, attempt }: KeptRun, endedAtMs: number, more: Partial<Session>, eventCount: number) {
      const lease = { runId: id, attempt }
      const session = buildSession({ id, startedAtMs: endedAtMs - 1, ...more, endedAtMs })
      const { result, error, cost } = session
      const events: readonly StoredRunEvent[] = range(eventCount).map((index) => ({
        seq: index + 1,
        event: { type: 'run.resumed' },
      }))
      await runs.write(lease, { events, journal: [journalEntry] })
      const ended =
        error === null ? ({ type: 'result', result, cost } as const) : ({ type: 'error', error, cost } as const)
      await runs.finish(lease, { session, event: { seq: eventCount + 1, event: ended }, journal: [journalEntry] })
    }

    return {
      ...store,
      /** Has a run come to its end. */
      async endRun(run: NewRun, endedAtMs: number, more: Partial<Session> = {}, eventCount = 2) {
        await runs.submit({ runs: [run] })
        for (const claimed of await runs.claim(claiming)) await finish(claimed, endedAtMs, more, eventCount)
      },
      /** Takes the steps of a part to its end, and gives what each has removed. */
      async cleanAll(part: RetentionPart, rowsMax = 100): Promise<readonly number[]> {
        const removed: number[] = []
        for (let step: CleaningStep | undefined = { part, beforeMs, afterId: '', rowsMax }; step !== undefined; ) {
          const progress = await retention.clean(step)
          if (progress === 'busy') throw new Error('Nobody else removes anything.')
          removed.push(progress.removed)
          step = progress.nextId === null ? undefined : { ...step, afterId: progress.nextId }
        }
        return removed
      },
    }
  }

  describe(`${name}: what is old`, () => {
    test('of a session is first what happened in it: its costs and its place in lists stay', async () => {
      const { cleanAll, ...store } = await openStores()
      const [old, young] = [idAt(oldMs), idAt(newMs)]
      await store.save(buildSession({ id: old, startedAtMs: oldMs, tags: { team: 'red' } }))
      await store.save(buildSession({ id: young, startedAtMs: newMs }))
      const costs = await store.costs({}, ['tactic', 'day'])
      const [lines, page] = [await store.costOf(old), await store.list({ tags: { team: 'red' } }, 10)]
      expect(await cleanAll('session-texts')).toEqual([1])
      expect(await store.get(old)).toBeUndefined()
      expect(await store.get(young)).toMatchObject({ id: young, task: 'bees' })
      expect(await store.costOf(old)).toEqual(lines)
      expect(await store.list({ tags: { team: 'red' } }, 10)).toEqual(page)
      expect(await store.costs({}, ['tactic', 'day'])).toEqual(costs)
      expect(await cleanAll('session-texts')).toEqual([0])
    })

    test('goes as a whole, with its costs, whosever it is', async () => {
      const { cleanAll, ...store } = await openStores()
      const [old, theirs, young] = [idAt(oldMs), idAt(oldMs, 2), idAt(newMs)]
      await store.save(buildSession({ id: old, startedAtMs: oldMs }))
      await store.save(buildSession({ id: theirs, startedAtMs: oldMs, tenant: 'acme' }))
      await store.save(buildSession({ id: young, startedAtMs: newMs }))
      expect(await cleanAll('sessions')).toEqual([2])
      expect([await store.get(old), await store.costOf(old)]).toEqual([undefined, undefined])
      expect(await store.of('acme').costOf(theirs)).toBeUndefined()
      expect((await store.costs({}, ['tactic'])).total.sessions).toBe(1)
      expect((await store.list({}, 10)).data.map(({ id }) => id)).toEqual([young])
    })

    test('of a run is what it was about and came to: its state, its times and its costs stay', async () => {
      const { cleanAll, endRun, runs, webhooks, ...store } = await openStores()
      const id = idAt(oldMs)
      await endRun(newRun(id), oldMs + 10, failed)
      const { request: _, outcome: __, ...summary } = (await runs.get(id)) as KeptRun
      expect(await cleanAll('run-texts')).toEqual([1])
      expect(await runs.get(id)).toEqual({ ...summary, request: null, outcome: null })
      expect(await runs.history(id)).toEqual({ journal: [], events: [], lastSeq: 0 })
      expect(await webhooks.ofRun(id)).toEqual([])
      expect(await store.get(id)).toBeUndefined()
      expect(await store.costOf(id)).toHaveLength(1)
      expect(await runs.resume(id)).toBe('expired')
      expect(await runs.get(id)).toMatchObject({ state: 'failure' })
      expect(await cleanAll('run-texts')).toEqual([0])
    })

    test('of a run is what was told of it: what comes when it goes on has numbers that are new', async () => {
      const { cleanAll, endRun, runs, ...store } = await openStores()
      const id = idAt(oldMs)
      await endRun(newRun(id), oldMs + 10, failed)
      expect(await cleanAll('events')).toEqual([3])
      expect(await runs.events(id, 0, 10)).toEqual([])
      expect(await runs.get(id)).toMatchObject({ request: { task: 'bees' }, outcome: { ok: false } })
      expect(await store.get(id)).toMatchObject({ id })
      expect(await cleanAll('events')).toEqual([0])
      expect(await runs.resume(id)).toBe('resumed')
      expect((await runs.history(id)).journal).toHaveLength(1)
      const [resumed] = await runs.events(id, 3, 10)
      expect(resumed).toMatchObject({ seq: expect.any(Number), event: { type: 'run.resumed' } })
    })

    test('of runs goes with all that they have, and their batch with the last of them', async () => {
      const { cleanAll, endRun, runs, webhooks, ...store } = await openStores()
      const batch = newBatch()
      const [first, second] = [0, 1].map((index) =>
        newRun(idAt(oldMs + 1, index), { batchId: batch.id, batchIndex: index, tags: { team: 'red' } }),
      ) as [NewRun, NewRun]
      await runs.submit({ runs: [first, second], batch })
      await endRun(first, oldMs + 10)
      expect(await cleanAll('runs')).toEqual([2])
      expect([await runs.get(first.id), await runs.get(second.id)]).toEqual([undefined, undefined])
      expect(await runs.history(first.id)).toEqual({ journal: [], events: [], lastSeq: 0 })
      expect(await webhooks.ofRun(first.id)).toEqual([])
      expect([await store.get(first.id), await store.costOf(first.id)]).toEqual([undefined, undefined])
      expect((await runs.list({ tags: { team: 'red' } }, 10)).data).toEqual([])
      expect(await cleanAll('batches')).toEqual([1])
      expect(await runs.batch(batch.id)).toBeUndefined()
    })

    test('is no batch that has runs, nor one whose runs have lost their texts', async () => {
      const { cleanAll, endRun, runs } = await openStores()
      const batch = newBatch()
      const run = newRun(idAt(oldMs + 1), { batchId: batch.id, batchIndex: 0 })
      await runs.submit({ runs: [run], batch })
      await endRun(run, oldMs + 10)
      await cleanAll('run-texts')
      expect(await cleanAll('batches')).toEqual([0])
      expect(await runs.batchRuns(batch.id, 0, 10)).toMatchObject([{ id: run.id, state: 'success', request: null }])
    })

    test('is no run that has not ended, or ended later, nor its session', async () => {
      const { cleanAll, endRun, runs, ...store } = await openStores()
      const [late, running, waiting] = [idAt(oldMs, 1), idAt(oldMs, 2), idAt(oldMs, 3)]
      await endRun(newRun(late), newMs)
      await runs.submit({ runs: [newRun(running)] })
      const [claimed] = await runs.claim(claiming)
      await runs.write({ runId: running, attempt: claimed?.attempt ?? 0 }, { journal: [journalEntry] })
      await runs.submit({ runs: [newRun(waiting)] })
      for (const part of ['events', 'run-texts', 'session-texts', 'runs', 'sessions', 'batches'] as const) {
        expect([part, await cleanAll(part)]).toEqual([part, [0]])
      }
      expect(await runs.get(late)).toMatchObject({ state: 'success', request: { task: 'bees' } })
      expect(await store.get(late)).toMatchObject({ id: late })
      expect(await runs.events(late, 0, 10)).toHaveLength(3)
      expect(await runs.get(running)).toMatchObject({ state: 'running', request: { task: 'bees' } })
      expect((await runs.history(running)).journal).toHaveLength(1)
      expect(await runs.get(waiting)).toMatchObject({ state: 'queued' })
    })

    test('goes a few at a time, the oldest first', async () => {
      const { cleanAll, retention, ...store } = await openStores()
      const sessions = range(25).map((number) =>
        buildSession({ id: idAt(oldMs + number), startedAtMs: oldMs + number }),
      )
      await Promise.all(sessions.map((session) => store.save(session)))
      const step = { part: 'sessions', beforeMs, afterId: '', rowsMax: 10 } as const
      expect(await retention.clean(step)).toEqual({ removed: 10, nextId: idAt(oldMs + 9) })
      expect(await store.costOf(idAt(oldMs + 9))).toBeUndefined()
      expect(await store.costOf(idAt(oldMs + 10))).toHaveLength(1)
      expect(await cleanAll('session-texts', 10)).toEqual([10, 5])
      expect(await cleanAll('sessions', 10)).toEqual([10, 5])
    })

    test('goes in as many steps as a run has events: no step removes more rows than it may', async () => {
      const { cleanAll, endRun, runs } = await openStores()
      const [long, short] = [idAt(oldMs, 1), idAt(oldMs, 2)]
      await endRun(newRun(long), oldMs + 10, {}, 95)
      await endRun(newRun(short), oldMs + 10, {}, 1)
      const [first] = await runs.events(long, 0, 1)
      expect(first?.seq).toBe(1)
      const steps = await cleanAll('runs', 10)
      expect(steps).toEqual([...range(9).map(() => 0), 1, 1, 0])
      expect(await runs.get(long)).toBeUndefined()
      expect(await runs.events(long, 0, 1)).toEqual([])
    })

    test('is found behind what is to be kept, which is passed over', async () => {
      const { cleanAll, endRun, runs } = await openStores()
      const waiting = range(25).map((number) => newRun(idAt(oldMs + number)))
      const last = newRun(idAt(oldMs + 100))
      await endRun(last, oldMs + 200)
      await runs.submit({ runs: waiting })
      expect(await cleanAll('runs', 100)).toEqual([0, 0, 1])
      expect(await runs.counts()).toMatchObject({ queued: 25, running: 0 })
      expect(await runs.get(last.id)).toBeUndefined()
    })
  })
}
