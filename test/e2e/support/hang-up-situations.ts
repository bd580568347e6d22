import { replyUsd } from './service.ts'

/** Where calls are at some time: how many of them, or of their tasks, are in each of these places. */
export interface Whereabouts {
  /** Requests at the provider. */
  readonly atProvider: number
  /** Waits before a recall. */
  readonly inWait: number
  /** Tools that were entered so far. */
  readonly inTool: number
  /** Lines with which the client has read as much as there is to read. */
  readonly read: number
}

export interface Situation {
  readonly name: string
  readonly path: string
  readonly body: { readonly task?: string; readonly tasks?: readonly string[]; readonly [member: string]: unknown }
  /** Where the call is when its client leaves. */
  readonly at: Partial<Whereabouts>
  /** What the last line says that the client reads, of a stream. */
  readonly lastLine?: RegExp
  /** Requests that reach the provider. */
  readonly requestCount: number
  /** How many sessions are left cancelled, and how many were a success before. */
  readonly sessions: { readonly cancelled: number; readonly success: number }
  /** What a cancelled session looks like. */
  readonly session: object
}

const queue = (length: number, first: readonly string[] = []) => [...first, ...Array<string>(length).fill('hang')]

const unknownCost = { cost: { cost_usd: null, unpriced_calls: 1 }, llm_call_count: 1 }
const paidCost = { cost: { cost_usd: replyUsd, unpriced_calls: 0 }, llm_call_count: 1 }
const cancelled = { state: 'cancelled', end_reason: 'client-closed', error: { code: 'client-closed-request' } }

const stoppedTool = (name: string) => ({
  ...paidCost,
  agent_calls: [{ state: 'cancelled', tool_calls: [{ name, error: 'The call was stopped.' }] }],
})

/** All the ways in which a client can leave a call. */
export const situations = [
  {
    name: 'a call',
    path: '/tactics/ask',
    body: { task: 'hang' },
    at: { atProvider: 1 },
    requestCount: 1,
    session: { ...unknownCost, agent_calls: [{ llm_calls: [{ error: { code: 'cancelled' }, response: null }] }] },
  },
  {
    name: 'a stream in the middle of a reply',
    path: '/tactics/ask/stream',
    body: { task: 'stall' },
    at: { atProvider: 1, read: 1 },
    lastLine: /^data: .*"text":"a reply"/,
    requestCount: 1,
    session: {
      // What was counted here is priced as what the provider would have counted.
      cost: { prompt_tokens: 98, completion_tokens: 7, cost_usd: 0.000315, unpriced_calls: 0 },
      llm_call_count: 1,
      agent_calls: [
        { llm_calls: [{ response: { message: { content: 'Half a reply' } }, usage: { estimated: true } }] },
      ],
    },
  },
  {
    name: 'a batch with 200 queued items',
    path: '/tactics/ask/batch',
    body: { tasks: queue(204), max_workers: 4 },
    at: { atProvider: 4 },
    requestCount: 4,
    sessions: { cancelled: 4, success: 0 },
    session: unknownCost,
  },
  {
    name: 'a batch stream with 200 queued items, of which some have been read',
    path: '/tactics/ask/batch/stream',
    body: { tasks: queue(204, ['answer', 'answer', 'answer']), max_workers: 4 },
    at: { atProvider: 4, read: 1 },
    lastLine: /^\{"index":2,/,
    requestCount: 7,
    sessions: { cancelled: 4, success: 3 },
    session: unknownCost,
  },
  {
    name: 'a call in the wait before a recall',
    path: '/tactics/ask',
    body: { task: 'refuse', config: 'other' },
    at: { inWait: 1 },
    requestCount: 1,
    session: {
      cost: { cost_usd: 0, unpriced_calls: 0 },
      llm_call_count: 1,
      agent_calls: [{ state: 'cancelled', llm_calls: [{ error: { code: 'rate-limited' } }] }],
    },
  },
  {
    name: 'a call in a tool that heeds its signal',
    path: '/tactics/ask',
    body: { task: 'heedful' },
    at: { inTool: 1 },
    requestCount: 1,
    session: stoppedTool('heedful'),
  },
  {
    name: 'a call in a tool that does not heed its signal',
    path: '/tactics/ask',
    body: { task: 'deaf' },
    at: { inTool: 1 },
    requestCount: 1,
    session: stoppedTool('deaf'),
  },
  {
    name: 'a call in a sub-tactic three deep',
    path: '/tactics/chief',
    body: { task: 'hang' },
    at: { atProvider: 1 },
    requestCount: 2,
    session: {
      cost: { cost_usd: replyUsd, unpriced_calls: 1 },
      llm_call_count: 2,
      sub_sessions: [
        {
          ...cancelled,
          tactic: 'manager',
          sub_sessions: [
            {
              ...cancelled,
              tactic: 'clerk',
              sub_sessions: [{ ...cancelled, ...unknownCost, tactic: 'ask' }],
            },
          ],
        },
      ],
    },
  },
].map(
  (situation): Situation => ({
    sessions: { cancelled: 1, success: 0 },
    ...situation,
    session: { ...cancelled, ...situation.session },
  }),
)

/** Where calls are that are each in one of these situations. */
export function sumOf(all: readonly Situation[]): Whereabouts {
  const total = (place: keyof Whereabouts) => all.reduce((sum, { at }) => sum + (at[place] ?? 0), 0)
  return { atProvider: total('atProvider'), inWait: total('inWait'), inTool: total('inTool'), read: total('read') }
}
