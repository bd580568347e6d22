import type { RunState } from '../domain/run.ts'
import type { OutputOf, TacticClass } from '../domain/tactic.ts'
import { asPage } from './answer-shape.ts'
import type { Page } from './answers.ts'
import { defined, toRequestOptions } from './call-options.ts'
import { followPages } from './pages.ts'
import type { RunBatchRecord, RunItem } from './run-answers.ts'
import { createRunBatchHandle, type RunBatchHandle } from './run-batch-handle.ts'
import { createRunHandle, type RunHandle } from './run-handle.ts'
import type { RequestOptions, Transport } from './transport.ts'

interface ListQuery {
  /** Entries of a page: 1..200, 50 when left out. */
  readonly limit?: number
  /** The `next_cursor` of the page before. */
  readonly cursor?: string
}

/** Which runs are meant. All that is given has to hold. */
export interface RunQuery extends ListQuery {
  readonly tactic?: string
  readonly state?: RunState
  /** The id of a batch. */
  readonly batch?: string
  readonly tags?: Readonly<Record<string, string>>
}

/** The runs of a service. */
export interface RunClient {
  /** A run by its id. Nothing is asked. The class of its tactic gives the type of its result: `handle<typeof Summarizer>(id)`. */
  handle<T extends TacticClass>(id: string): RunHandle<OutputOf<T>>
  /** A page of runs, newest first. */
  list(query?: RunQuery, options?: RequestOptions): Promise<Page<RunItem>>
  /** All runs that fit, page by page as they are looped over. */
  all(query?: RunQuery, options?: RequestOptions): AsyncGenerator<RunItem, void, undefined>
}

/** The batches of runs of a service. */
export interface RunBatchClient {
  /** A batch by its id. Nothing is asked. */
  handle<T extends TacticClass>(id: string): RunBatchHandle<OutputOf<T>>
  /** A page of batches, newest first. */
  list(query?: ListQuery, options?: RequestOptions): Promise<Page<RunBatchRecord>>
  /** All batches, page by page as they are looped over. */
  all(query?: ListQuery, options?: RequestOptions): AsyncGenerator<RunBatchRecord, void, undefined>
}

export function createRunClient(transport: Transport): RunClient {
  const list = (query: RunQuery = {}, options: RequestOptions = {}) =>
    askPage<RunItem>(transport, '/runs', query, options)
  return {
    handle: (id) => createRunHandle(transport, id),
    list,
    all: (query = {}, options = {}) => followPages((cursor) => list({ ...query, ...cursor }, options), query.cursor),
  }
}

export function createRunBatchClient(transport: Transport): RunBatchClient {
  const list = (query: ListQuery = {}, options: RequestOptions = {}) =>
    askPage<RunBatchRecord>(transport, '/batches', query, options)
  return {
    handle: (id) => createRunBatchHandle(transport, id),
    list,
    all: (query = {}, options = {}) => followPages((cursor) => list({ ...query, ...cursor }, options), query.cursor),
  }
}

async function askPage<Item>(
  transport: Transport,
  path: string,
  { tags = {}, ...query }: RunQuery,
  options: RequestOptions,
): Promise<Page<Item>> {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(defined(query))) search.set(key, String(value))
  for (const [key, value] of Object.entries(tags)) search.set(`tag.${key}`, value)
  return asPage(await transport.ask({ method: 'GET', path, query: search, ...toRequestOptions(options) }))
}
