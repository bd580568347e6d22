import type { World } from '../domain/clock.ts'
import { noCost } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { NewRun, Run, RunBatch } from '../domain/run.ts'
import type { RunStore } from '../domain/run-store.ts'
import { defaultTenant } from '../domain/tenant.ts'
import type { ContentKeeper } from '../engine/content-keeper.ts'
import type { PreparedCall } from '../engine/engine.ts'
import type { BackgroundWork } from './background-work.ts'
import type { ChangeHub } from './change-hub.ts'
import type { Dispatcher } from './dispatcher.ts'
import { followRun, waitForEnd } from './follow-run.ts'
import { type RunPlace, toNewRun } from './new-run.ts'
import type { RunQueue } from './run-queue.ts'
import type { RunOptions, Runs, TenantRuns } from './runs.ts'

/** Runs that one batch may have. */
export const batchRunsMax = 100_000
/** Runs of a batch that are read at once. */
const pageSize = 200

export interface RunsParts {
  readonly store: RunStore
  readonly dispatcher: Dispatcher
  readonly hub: ChangeHub
  readonly world: World
  /** What a run may take that asks for nothing, in ms. */
  readonly runTimeoutMs: number
  /** Says why the ends of runs may not be told at a URL; undefined: they may. Left out: they are not judged. */
  readonly judgeWebhook?: (url: string) => string | undefined
  /** Holds tenants to as many runs that wait as they may have. */
  readonly queue: RunQueue
  /** What may be kept of the texts of runs. */
  readonly content: Pick<ContentKeeper, 'of' | 'value'>
  /** What begins and ends with the work on runs. */
  readonly besides?: readonly BackgroundWork[]
}

export function createRuns(parts: RunsParts): Runs {
  const { dispatcher, hub, besides = [] } = parts
  const of = (tenant: string) => tenantRuns(parts, tenant)

  return {
    ...of(defaultTenant),
    of,
    async start() {
      await dispatcher.start()
      for (const work of besides) work.start()
    },
    health: async () => ({ ...(await parts.store.counts()), runningHere: dispatcher.runningCount }),
    async drain(graceMs) {
      await Promise.all([dispatcher.drain(graceMs), ...besides.map((work) => work.close(graceMs))])
      hub.close()
    },
  }
}

function tenantRuns(parts: RunsParts, tenant: string): TenantRuns {
  const { hub, world, runTimeoutMs, content, queue, judgeWebhook = () => undefined } = parts
  const { clock, newId } = world
  const store = parts.store.of(tenant)

  const newRun = (call: PreparedCall, options: RunOptions, place: Omit<RunPlace, 'tenant'>) =>
    toNewRun(call, options, { ...place, tenant }, { clock, runTimeoutMs, content })

  function judge({ webhook }: RunOptions) {
    const refusal = webhook && judgeWebhook(webhook.url)
    if (refusal !== undefined) throw new LllmError('invalid-request', `The URL of the webhook ${refusal}.`)
  }

  /** What was queued before under the same id takes no more room. */
  async function admit(count: number, { id }: RunOptions, find: (id: string) => Promise<unknown>) {
    try {
      await queue.admit(tenant, count)
    } catch (error) {
      if (id === undefined || (await find(id)) === undefined) throw error
    }
  }

  async function get(id: string): Promise<Run> {
    const run = await store.get(id)
    if (run === undefined) throw new LllmError('unknown-run', 'There is no such run.')
    return run
  }

  async function batch(id: string): Promise<RunBatch> {
    const found = await store.batch(id)
    if (found === undefined) throw new LllmError('unknown-batch', 'There is no such batch of runs.')
    return found
  }

  return {
    async submit(call, options = {}) {
      judge(options)
      await admit(1, options, store.get)
      const run = newRun(call, options, { id: options.id ?? newId(), batchId: null, batchIndex: null })
      await parts.store.submit({ runs: [run] })
      // An id that was there before has a run of its own.
      return options.id === undefined ? asQueued(run) : get(run.id)
    },
    async submitBatch(calls, options = {}) {
      if (calls.length > batchRunsMax) {
        throw new LllmError('invalid-request', `A batch has at most ${batchRunsMax} runs, not ${calls.length}.`)
      }
      judge(options)
      await admit(calls.length, options, store.batch)
      const id = options.id ?? newId()
      const runs = calls.map((call, batchIndex) => newRun(call, options, { id: newId(), batchId: id, batchIndex }))
      const [first] = runs
      if (first === undefined) throw new LllmError('invalid-request', 'A batch has at least one run.')
      const { tactic, tacticId, tags, createdAtMs } = first
      await parts.store.submit({ runs, batch: { id, tenant, tactic, tacticId, tags, createdAtMs } })
      return batch(id)
    },
    get,
    list: (filter, limit, after) => store.list(filter, limit, after),
    async wait(id, timeoutMs, signal) {
      const parts = { store, hub, now: () => clock.now() }
      return (await waitForEnd(parts, id, clock.now() + timeoutMs, signal)) ?? get(id)
    },
    async *follow(id, afterSeq, signal) {
      await get(id)
      yield* followRun({ store, hub }, id, afterSeq, signal)
    },
    async cancel(id, reason) {
      const answer = await store.cancel(id, reason)
      if (answer === 'ended') throw new LllmError('run-conflict', 'The run has ended: there is nothing left to cancel.')
      return get(id)
    },
    async resume(id, key) {
      const { request, state } = await get(id)
      if (request?.content === 'none' && (state === 'failure' || state === 'cancelled')) {
        const message = 'Nothing was kept of what the run was asked to do, as its config wants it: submit a new one.'
        throw new LllmError('run-conflict', message)
      }
      // What cannot be resumed takes no room, and is told so below.
      if (state === 'failure' || state === 'cancelled') await queue.admit(tenant, 1)
      const answer = await store.resume(id, key)
      if (answer === 'active') throw new LllmError('run-conflict', 'The run has not ended: it goes on by itself.')
      if (answer === 'expired')
        throw new LllmError(
          'run-conflict',
          'The task of the run is not kept any more, so it cannot go on. Submit a new one.',
        )
      if (answer === 'succeeded') throw new LllmError('run-conflict', 'The run has succeeded: submit a new one.')
      return get(id)
    },
    async delete(id) {
      const answer = await store.delete(id)
      if (answer === 'unknown') await get(id)
      if (answer === 'active') throw new LllmError('run-conflict', 'The run has not ended. Cancel it first.')
    },
    batch,
    batches: (limit, after) => store.batches(limit, after),
    async *batchRuns(id) {
      await batch(id)
      for (let fromIndex = 0; ; ) {
        const page = await store.batchRuns(id, fromIndex, pageSize)
        yield* page
        const last = page.at(-1)?.batchIndex
        if (last === undefined || last === null || page.length < pageSize) return
        fromIndex = last + 1
      }
    },
    async cancelBatch(id, reason) {
      if ((await store.cancelBatch(id, reason)) === undefined) await batch(id)
      return batch(id)
    },
  }
}

function asQueued(run: NewRun): Run {
  return {
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
  }
}
