import type { RunStore, TenantRunStore } from '../domain/run-store.ts'
import { countLlmCalls, type Session } from '../domain/session.ts'
import type { SessionStore } from '../domain/session-store.ts'
import { defaultTenant } from '../domain/tenant.ts'
import type { RunChanges } from './run-changes.ts'
import type { CancelledRuns, RunTables } from './run-tables.ts'
import { createRunWriteQueue, runFenced } from './run-write-queue.ts'
import { type SessionRows, toSessionRows } from './session-rows.ts'
import { toStoredSession } from './stored-session.ts'

export interface TableRunStoreParts {
  readonly changes: RunChanges
  readonly isShared: boolean
  own(): Promise<void>
  /** Where sessions are kept elsewhere than in the tables of runs. */
  readonly sessions?: Pick<SessionStore, 'save' | 'of'>
}

/** A store of runs on any tables. Their errors have to be what the port promises. */
export function createTableRunStore(tables: RunTables, parts: TableRunStoreParts): RunStore {
  const { changes, isShared, sessions } = parts
  const enqueue = createRunWriteQueue((writes) => tables.writeAll(writes))
  const tellRun = (runId: string) => changes.tell({ kind: 'run', runId })
  const tellWork = () => changes.tell({ kind: 'work' })

  const toRows = (session: Session): SessionRows | null =>
    sessions === undefined ? toSessionRows(toStoredSession(session)) : null

  const of = (tenant: string): TenantRunStore => ({
    get: (id) => tables.get(tenant, id),
    list: (filter, limit, after) => tables.list(tenant, filter, limit, after),
    async delete(id) {
      const answer = await tables.delete(tenant, id)
      if (answer === 'deleted') {
        await sessions?.of(tenant).delete(id)
        tellRun(id)
      }
      return answer
    },
    async cancel(id, reason) {
      const answer = await tables.cancel(tenant, id, reason)
      if (answer === 'cancelled') tellRun(id)
      if (answer === 'asked') tellCancel()
      return answer
    },
    async resume(id, key) {
      const answer = await tables.resume(tenant, id, key)
      if (answer !== 'resumed') return answer
      await sessions?.of(tenant).delete(id)
      tellRun(id)
      tellWork()
      return answer
    },
    events: (runId, afterSeq, limit) => tables.events(tenant, runId, afterSeq, limit),
    batch: (id) => tables.batch(tenant, id),
    batches: (limit, after) => tables.batches(tenant, limit, after),
    batchRuns: (batchId, fromIndex, limit) => tables.batchRuns(tenant, batchId, fromIndex, limit),
    async cancelBatch(id, reason) {
      const answer = await tables.cancelBatch(tenant, id, reason)
      if (answer === undefined) return undefined
      tellCancelled(answer)
      return answer.cancelled.length + answer.asked
    },
    countQueued: (countMax) => tables.countQueued(tenant, countMax),
  })

  return {
    isShared,
    ...of(defaultTenant),
    of,
    own: () => parts.own(),
    watch: (onChange) => changes.watch(onChange),
    async submit(submission) {
      await tables.submit(submission)
      tellWork()
    },
    async startTick(tick) {
      const { answer, ...cancelled } = await tables.startTick(tick)
      tellCancelled(cancelled)
      if (answer === 'started') tellWork()
      return answer
    },
    lastTicks: (schedules) => tables.lastTicks(schedules),
    claim: (request) => tables.claim(request),
    beat: (owner, leaseMs) => tables.beat(owner, leaseMs),
    history: (runId) => tables.history(runId),
    async write(lease, write) {
      await enqueue({ lease, ...write })
      if (write.events !== undefined && write.events.length > 0) tellRun(lease.runId)
    },
    async finish(lease, { session, ...more }) {
      const { state, endedAtMs, result, error, cost } = session
      const ended = { state, endedAtMs, result, error, cost }
      const end = { session: ended, llmCalls: countLlmCalls(session), rows: toRows(session), ...more }
      if (!(await tables.finish(lease, end))) throw runFenced()
      await sessions?.save(session)
      tellRun(lease.runId)
    },
    async release(lease) {
      if (!(await tables.release(lease))) throw runFenced()
      tellWork()
    },
    counts: () => tables.counts(),
  }

  function tellCancelled({ cancelled, asked }: CancelledRuns) {
    for (const runId of cancelled) tellRun(runId)
    if (asked > 0) tellCancel()
  }

  /** A run that waits to go on is started at once, to be ended. */
  function tellCancel() {
    changes.tell({ kind: 'cancel' })
    tellWork()
  }
}
