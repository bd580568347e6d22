import type { SessionState } from '../domain/session.ts'
import type { SessionRecord } from '../domain/session-record.ts'
import type { CostGroup } from '../domain/session-store.ts'
import { asPage, expectMembers } from './answer-shape.ts'
import type { CostsAnswer, Page, SessionCost, SessionItem } from './answers.ts'
import { toRequestOptions } from './call-options.ts'
import { followPages } from './pages.ts'
import type { RequestOptions, Transport } from './transport.ts'

/** Which sessions are meant. All that is given has to hold. */
export interface SessionQuery {
  readonly tactic?: string
  readonly state?: SessionState
  readonly tags?: Readonly<Record<string, string>>
  /** Inclusive. A text is RFC 3339, or a day. */
  readonly startedAfter?: Date | string
  /** Exclusive. */
  readonly startedBefore?: Date | string
}

export interface PageQuery extends SessionQuery {
  /** Sessions of a page: 1..200, 50 when left out. */
  readonly limit?: number
  /** The `next_cursor` of the page before. */
  readonly cursor?: string
}

export interface CostsQuery extends SessionQuery {
  /** Up to 5. Default: `tactic`. */
  readonly groupBy?: readonly CostGroup[]
}

/** The sessions of a service. Everything rejects as the methods of a tactic do. */
export interface SessionClient {
  /** A page of sessions, newest first. */
  list(query?: PageQuery, options?: RequestOptions): Promise<Page<SessionItem>>
  /** All sessions that fit, page by page as they are looped over. */
  all(query?: PageQuery, options?: RequestOptions): AsyncGenerator<SessionItem, void, undefined>
  get(id: string, options?: RequestOptions): Promise<SessionRecord>
  delete(id: string, options?: RequestOptions): Promise<void>
  cost(id: string, options?: RequestOptions): Promise<SessionCost>
}

export function createSessionClient(transport: Transport): SessionClient {
  const get = (path: string, options: RequestOptions, query?: URLSearchParams) =>
    transport.ask({ method: 'GET', path, ...(query === undefined ? {} : { query }), ...toRequestOptions(options) })

  async function list(query: PageQuery = {}, options: RequestOptions = {}): Promise<Page<SessionItem>> {
    const { limit, cursor } = query
    const more = {
      ...(limit === undefined ? {} : { limit: String(limit) }),
      ...(cursor === undefined ? {} : { cursor }),
    }
    return asPage(await get('/sessions', options, toSearch(query, more)))
  }

  return {
    list,
    all: (query = {}, options = {}) => followPages((cursor) => list({ ...query, ...cursor }, options), query.cursor),
    async get(id, options = {}) {
      return expectMembers(await get(pathOf(id), options), 'id', 'state', 'cost', 'sub_sessions') as never
    },
    async delete(id, options = {}) {
      await transport.ask({ method: 'DELETE', path: pathOf(id), ...toRequestOptions(options) })
    },
    async cost(id, options = {}) {
      return expectMembers(await get(`${pathOf(id)}/cost`, options), 'total', 'lines') as never
    },
  }
}

export async function askCosts(
  transport: Transport,
  query: CostsQuery = {},
  options: RequestOptions = {},
): Promise<CostsAnswer> {
  const { groupBy } = query
  const more = { format: 'json', ...(groupBy === undefined ? {} : { group_by: groupBy.join(',') }) }
  const asked = { method: 'GET', path: '/costs', query: toSearch(query, more), ...toRequestOptions(options) } as const
  return expectMembers(await transport.ask(asked), 'data', 'total') as never
}

function pathOf(id: string): string {
  return `/sessions/${encodeURIComponent(id)}`
}

function toSearch(query: SessionQuery, more: Readonly<Record<string, string>>): URLSearchParams {
  const { tactic, state, tags = {}, startedAfter, startedBefore } = query
  const search = new URLSearchParams(more)
  if (tactic !== undefined) search.set('tactic', tactic)
  if (state !== undefined) search.set('state', state)
  if (startedAfter !== undefined) search.set('started_after', toTime(startedAfter))
  if (startedBefore !== undefined) search.set('started_before', toTime(startedBefore))
  for (const [key, value] of Object.entries(tags)) search.set(`tag.${key}`, value)
  return search
}

/** As the service reads it. */
export function toTime(time: Date | string): string {
  return typeof time === 'string' ? time : time.toISOString()
}
