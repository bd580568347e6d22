import type { GivenTo, OutputOf, TacticClass } from '../domain/tactic.ts'
import { asPage, expectMembers } from './answer-shape.ts'
import type { CostsAnswer, ServiceInfo, TacticRecord } from './answers.ts'
import { toRequestOptions } from './call-options.ts'
import type { ScheduleRecord } from './run-answers.ts'
import { createRunBatchClient, createRunClient, type RunBatchClient, type RunClient } from './run-client.ts'
import { askCosts, type CostsQuery, createSessionClient, type SessionClient } from './session-client.ts'
import { createTacticClient, type TacticClient } from './tactic-client.ts'
import { type ClientOptions, openTransport, type RequestOptions } from './transport.ts'

export type ClientOf<T extends TacticClass> = TacticClient<GivenTo<T>, OutputOf<T>>

/** A service, seen from afar. It holds nothing open between two requests. Everything rejects as the methods of a tactic do. */
export interface Client {
  /**
   * A tactic by its name, or `package::name`. Its class, imported as a type, gives the types of task and result:
   * `client.tactic<typeof Summarizer>('summarizer')`. Without it, both are unknown.
   */
  tactic<T extends TacticClass>(name: string): ClientOf<T>
  /** All tactics, by name. */
  tactics(options?: RequestOptions): Promise<readonly TacticRecord[]>
  readonly sessions: SessionClient
  readonly runs: RunClient
  readonly batches: RunBatchClient
  /** What is run at which times, in the order of the service's file. */
  schedules(options?: RequestOptions): Promise<readonly ScheduleRecord[]>
  /** What many sessions cost, in groups. */
  costs(query?: CostsQuery, options?: RequestOptions): Promise<CostsAnswer>
  info(options?: RequestOptions): Promise<ServiceInfo>
}

/**
 * Makes a client. It works wherever there is a `fetch`: in Node, in browsers, at the edge.
 *
 * @throws TypeError when the URL or a header does not fit. It does not look whether there is a service.
 */
export function createClient(options: ClientOptions): Client {
  const transport = openTransport(options)
  const get = (path: string, given: RequestOptions = {}) =>
    transport.ask({ method: 'GET', path, ...toRequestOptions(given) })
  return {
    tactic: (name) => createTacticClient(transport, name),
    tactics: async (given) => asPage<TacticRecord>(await get('/tactics', given)).data,
    sessions: createSessionClient(transport),
    runs: createRunClient(transport),
    batches: createRunBatchClient(transport),
    schedules: async (given) => asPage<ScheduleRecord>(await get('/schedules', given)).data,
    costs: (query, given) => askCosts(transport, query, given),
    info: async (given) => expectMembers(await get('/info', given), 'name', 'version') as never,
  }
}
