import { expectMembers } from './answer-shape.ts'
import { defined, toRequestOptions } from './call-options.ts'
import { type FollowOptions, followRun } from './follow-run.ts'
import type { ChangedRun, EndedRun, RunEvent, RunRecord } from './run-answers.ts'
import type { RequestOptions, Transport } from './transport.ts'
import { type WaitOptions, waitUntil } from './wait-until.ts'

/** How long the service is asked to wait at once. */
const waitMs = 30_000

export interface CancelOptions extends RequestOptions {
  /** Why, in up to 256 characters. */
  readonly reason?: string
}

/** A run of a service, by its id. It holds nothing open. Everything rejects as the methods of a tactic do. */
export interface RunHandle<Output = unknown> {
  readonly id: string
  /** The run as it is now. */
  get(options?: RequestOptions): Promise<RunRecord<Output>>
  /**
   * The run, once it has ended, well or not. A service that is away meanwhile is waited for, up to a minute each time: so the wait
   * outlasts its restart. Rejects with an LllmProblem `session-expired` when it ended so long ago that this is not kept any more.
   */
  wait(options?: WaitOptions): Promise<EndedRun<Output>>
  /**
   * What has happened and what happens, until the run has ended; the last event is its `result` or its `error`. After an interruption it goes
   * on where it was. Leaving the loop changes nothing for the run.
   */
  events(options?: FollowOptions): AsyncGenerator<RunEvent<Output>, void, undefined>
  /** Has it end as cancelled: at once if it waits, soon if it is under way. */
  cancel(options?: CancelOptions): Promise<RunRecord<Output> | ChangedRun>
  /** Queues it again after it failed or was cancelled. It goes on from its finished calls. */
  resume(options?: RequestOptions): Promise<RunRecord<Output> | ChangedRun>
  /** Removes it with its session, once it has ended. */
  delete(options?: RequestOptions): Promise<void>
}

export function createRunHandle<Output>(transport: Transport, id: string): RunHandle<Output> {
  const path = `/runs/${encodeURIComponent(id)}`
  const change = async (below: string, options: RequestOptions, body?: object) => {
    const asked = { method: 'POST', path: path + below, ...toRequestOptions(options) } as const
    return asChangedRun<Output>(await transport.ask(body === undefined ? asked : { ...asked, body }))
  }
  return {
    id,
    async get(options = {}) {
      return asRun(await transport.ask({ method: 'GET', path, ...toRequestOptions(options) }))
    },
    wait: (options = {}) => waitUntil((signal) => lookForEnd<Output>(transport, path, signal), 'The run', options),
    events: (options = {}) => followRun(transport, path, options),
    cancel: ({ reason, ...options } = {}) => change('/cancel', options, defined({ reason })),
    resume: (options = {}) => change('/resume', options),
    async delete(options = {}) {
      await transport.ask({ method: 'DELETE', path, ...toRequestOptions(options) })
    },
  }
}

async function lookForEnd<Output>(transport: Transport, path: string, signal: AbortSignal) {
  const query = new URLSearchParams({ timeout_ms: String(waitMs) })
  const asked = { method: 'GET', path: `${path}/wait`, query, timeoutMs: waitMs, signal } as const
  const run = asRun<Output>(await transport.ask(asked))
  return hasEnded(run) ? run : undefined
}

function hasEnded<Output>(run: RunRecord<Output>): run is EndedRun<Output> {
  return run.state !== 'queued' && run.state !== 'running' && !run.expired
}

/** Whoever may not look at the run is told its state, and no more. */
function asChangedRun<Output>(value: unknown): RunRecord<Output> | ChangedRun {
  return expectMembers(value, 'id', 'state') as never
}

export function asRun<Output>(value: unknown): RunRecord<Output> {
  return expectMembers(value, 'id', 'state', 'result', 'error', 'cost') as never
}
