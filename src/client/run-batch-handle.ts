import { expectMembers } from './answer-shape.ts'
import { defined, toRequestOptions } from './call-options.ts'
import { LineDecoder } from './line-decoder.ts'
import { readable } from './live-answer.ts'
import type { RunBatchRecord, RunResult } from './run-answers.ts'
import type { CancelOptions } from './run-handle.ts'
import { type RequestOptions, readJson, type Transport } from './transport.ts'
import { type WaitOptions, waitUntil } from './wait-until.ts'

/** A batch of runs, by its id. It holds nothing open. Everything rejects as the methods of a tactic do. */
export interface RunBatchHandle<Output = unknown> {
  readonly id: string
  /** How many of its runs are in each state, and what they cost. */
  get(options?: RequestOptions): Promise<RunBatchRecord>
  /** The same, once all of its runs have ended. It waits as that of a run. */
  wait(options?: WaitOptions): Promise<RunBatchRecord>
  /** What its runs came to, in the order of the tasks, as they are read. */
  results(options?: RequestOptions): AsyncGenerator<RunResult<Output>, void, undefined>
  /** Cancels all of its runs that have not ended. */
  cancel(options?: CancelOptions): Promise<Omit<RunBatchRecord, 'tags'>>
}

export function createRunBatchHandle<Output>(transport: Transport, id: string): RunBatchHandle<Output> {
  const path = `/batches/${encodeURIComponent(id)}`
  const get = async (options: RequestOptions) =>
    asRunBatch(await transport.ask({ method: 'GET', path, ...toRequestOptions(options) }))
  const look = async (signal: AbortSignal) => {
    const batch = await get({ signal })
    return batch.counts.queued + batch.counts.running === 0 ? batch : undefined
  }
  return {
    id,
    get: (options = {}) => get(options),
    wait: (options = {}) => waitUntil(look, 'The batch', options),
    results: (options = {}) => readResults(transport, path, options),
    async cancel({ reason, ...options } = {}) {
      const asked = { method: 'POST', path: `${path}/cancel`, ...toRequestOptions(options) } as const
      return asRunBatch(await transport.ask({ ...asked, body: defined({ reason }) }))
    },
  }
}

/** A stream of lines that breaks off is a fault of the network: it never just ends. */
async function* readResults<Output>(
  transport: Transport,
  path: string,
  options: RequestOptions,
): AsyncGenerator<RunResult<Output>, void, undefined> {
  const asked = { method: 'GET', path: `${path}/results`, accept: 'application/jsonl' } as const
  const reply = await transport.send({ ...asked, ...toRequestOptions(options) })
  const decoder = new LineDecoder(transport.answerBytesMax)
  for await (const bytes of reply.pieces()) {
    for (const line of readable(() => decoder.decode(bytes), reply.status)) yield asResult(readJson(line, 200))
  }
}

function asResult<Output>(value: unknown): RunResult<Output> {
  return expectMembers(value, 'index', 'run_id', 'status') as never
}

export function asRunBatch(value: unknown): RunBatchRecord {
  const batch = expectMembers(value, 'id', 'counts', 'cost')
  expectMembers(batch['counts'], 'queued', 'running')
  return batch as never
}
