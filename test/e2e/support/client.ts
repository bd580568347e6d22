import type { SessionRecord, SessionSummaryRecord } from '../../../src/domain/session-record.ts'
import type { Problem } from '../../../src/http/problem.ts'

export interface CallBody extends Partial<Problem> {
  readonly result?: unknown
  readonly session_id?: string
  readonly cost_usd?: number | null
  readonly session?: SessionRecord & SessionSummaryRecord
}

export interface BatchItemBody {
  readonly index: number
  readonly status: 'success' | 'failure' | 'cancelled' | 'skipped'
  readonly result?: unknown
  readonly error?: Problem
  readonly session_id: string | null
  readonly cost_usd: number | null
  readonly session?: SessionRecord
}

export interface BatchBody extends Partial<Problem> {
  readonly items: readonly BatchItemBody[]
  readonly counts: Readonly<Record<BatchItemBody['status'], number>>
  readonly cost_usd?: number | null
}

export interface Answer<Body> {
  readonly status: number
  readonly headers: Headers
  /** The body as it came, and what JSON.parse made of it (null where it is not JSON). */
  readonly text: string
  readonly body: Body
}

type Members = Readonly<Record<string, unknown>>

/** Talks to a service over real sockets. An aborted signal closes the socket, as a client does that goes away. */
export function createClient(url: string) {
  async function send<Body>(path: string, request: RequestInit): Promise<Answer<Body>> {
    const response = await fetch(url + path, request)
    const text = await response.text()
    const isJson = /[/+]json(?:;|$)/.test(response.headers.get('content-type') ?? '')
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null }
  }
  const post = <Body>(path: string, body: unknown, signal?: AbortSignal) =>
    send<Body>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    })
  return {
    post,
    /** Calls a tactic; `more` are further members of the body. */
    call: (tactic: string, task: unknown, more: Members = {}, signal?: AbortSignal) =>
      post<CallBody>(`/tactics/${tactic}`, { task, ...more }, signal),
    batch: (tactic: string, tasks: readonly unknown[], more: Members = {}, signal?: AbortSignal) =>
      post<BatchBody>(`/tactics/${tactic}/batch`, { tasks, ...more }, signal),
    get: <Body = Members>(path: string) => send<Body>(path, {}),
    delete: (path: string) => send<null>(path, { method: 'DELETE' }),
    session: async (id: string | null | undefined) => (await send<SessionRecord>(`/sessions/${id}`, {})).body,
  }
}
