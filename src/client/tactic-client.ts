import { asBatchAnswer, asCallAnswer, asSessionAnswer } from './answer-shape.ts'
import type { BatchAnswer, CallAnswer, SessionAnswer } from './answers.ts'
import {
  type BatchOptions,
  defined,
  type KeyedOptions,
  type SingleCallOptions,
  toBatchFields,
  toCallFields,
  toRequestOptions,
} from './call-options.ts'
import { asRunBatch, createRunBatchHandle, type RunBatchHandle } from './run-batch-handle.ts'
import { asRun, createRunHandle, type RunHandle } from './run-handle.ts'
import { type RunBatchOptions, type RunOptions, toRunFields, toSubmitOptions } from './run-options.ts'
import { type BatchStream, streamBatch } from './stream-batch.ts'
import { type CallStream, streamCall } from './stream-call.ts'
import type { RequestOptions, Transport } from './transport.ts'

/**
 * A tactic of a service. Nothing is sent a second time by itself: what fails may have been paid.
 *
 * A request that has an `idempotencyKey` may be sent again without being done again.
 *
 * Everything rejects with an LllmProblem when the service refuses or the call fails, with an LllmFault when no answer comes that can be
 * understood, and with the reason of the signal once that aborts.
 */
export interface TacticClient<Input = unknown, Output = unknown> {
  /** Calls the tactic. */
  call(task: Input, options?: SingleCallOptions & KeyedOptions): Promise<CallAnswer<Output>>
  /** Calls the tactic and gives the whole session with the answer. That of a failed call is found by the problem's `sessionId`. */
  session(task: Input, options?: SingleCallOptions & KeyedOptions): Promise<SessionAnswer<Output>>
  /** Many tasks with bounded workers. How each ended is in its item: a failed one fails nothing else. */
  batch(tasks: readonly Input[], options?: BatchOptions & KeyedOptions): Promise<BatchAnswer<Output>>
  /** The same, item by item as they are completed. Leaving the loop cancels what is left. */
  batchStream(tasks: readonly Input[], options?: BatchOptions): BatchStream<Output>
  /** Calls the tactic and tells what happens. Leaving the loop cancels the call. */
  stream(task: Input, options?: SingleCallOptions): CallStream<Output>
  /** Queues a run: it goes on by itself, whatever becomes of this program. Resolves when the run is stored. */
  run(task: Input, options?: RunOptions): Promise<RunHandle<Output>>
  /** Queues a run for each task, all or none: as many as `LLLM_BATCH_TASKS_MAX` of the service says, 10,000 by default. */
  runBatch(tasks: readonly Input[], options?: RunBatchOptions): Promise<RunBatchHandle<Output>>
}

export function createTacticClient<Input, Output>(transport: Transport, name: string): TacticClient<Input, Output> {
  const { answerBytesMax } = transport
  const path = `/tactics/${encodeURIComponent(name)}`
  const post = (below: string, body: object, options: RequestOptions & KeyedOptions) => {
    return { method: 'POST', path: path + below, body, ...toRequestOptions(options) } as const
  }
  const callOf = (task: Input, options: SingleCallOptions, more: object = {}) => {
    return { task, ...toCallFields(options, transport.timeoutMs), ...more }
  }
  const batchOf = (tasks: readonly Input[], options: BatchOptions) => {
    return { tasks, ...toBatchFields(options, transport.timeoutMs) }
  }
  return {
    async call(task, options = {}) {
      return asCallAnswer(await transport.ask(post('', callOf(task, options), options)))
    },
    async session(task, options = {}) {
      return asSessionAnswer(await transport.ask(post('', callOf(task, options, { return_session: true }), options)))
    },
    async batch(tasks, options = {}) {
      return asBatchAnswer(await transport.ask(post('/batch', batchOf(tasks, options), options)))
    },
    batchStream(tasks, options = {}) {
      const asked = { ...post('/batch/stream', batchOf(tasks, options), options), accept: 'application/x-ndjson' }
      return streamBatch(() => transport.send(asked), answerBytesMax)
    },
    stream(task, options = {}) {
      const asked = { ...post('/stream', callOf(task, options), options), accept: 'text/event-stream' }
      return streamCall(() => transport.send(asked), answerBytesMax)
    },
    async run(task, options = {}) {
      const fields = defined({ ...toRunFields(options), budget_usd: options.budgetUsd })
      const run = asRun(await transport.ask(post('/runs', { task, ...fields }, toSubmitOptions(options))))
      return createRunHandle(transport, run.id)
    },
    async runBatch(tasks, options = {}) {
      const fields = defined({ ...toRunFields(options), run_budget_usd: options.runBudgetUsd })
      const batch = asRunBatch(await transport.ask(post('/batches', { tasks, ...fields }, toSubmitOptions(options))))
      return createRunBatchHandle(transport, batch.id)
    },
  }
}
