import { Agent, fetch as undiciFetch } from 'undici'
import { guardedConnector } from './guarded-connector.ts'
import type { OutboundRules } from './judge-address.ts'

/** Redirects that one request follows. */
const redirectsMax = 3
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export interface GuardedFetchOptions {
  /** Sockets to one host. */
  readonly connections: number
  readonly connectTimeoutMs: number
  /** Until the head of an answer, and between two pieces of it. */
  readonly answerMaxMs: number
}

/** A `fetch` that reaches what the rules allow. */
export interface GuardedFetch {
  readonly fetch: typeof fetch
  /** Closes all sockets at once. */
  close(): Promise<void>
}

/**
 * Makes a `fetch` with sockets of its own. It follows redirects only within the origin that was asked for, where headers and bodies may
 * be sent again, up to three of them.
 */
export function createGuardedFetch(rules: OutboundRules, options: GuardedFetchOptions): GuardedFetch {
  const { connections, connectTimeoutMs, answerMaxMs } = options
  const dispatcher = new Agent({
    connections,
    connect: guardedConnector(rules, { timeoutMs: connectTimeoutMs }),
    headersTimeout: answerMaxMs,
    bodyTimeout: answerMaxMs,
    allowH2: false,
  })
  // The types of undici and those of Node are two copies of the same.
  const once = (url: string | URL, init: object) =>
    undiciFetch(url, { ...init, dispatcher }) as unknown as Promise<Response>

  async function follow(url: string | URL, init: RequestInit = {}): Promise<Response> {
    if (init.redirect === 'error' || init.redirect === 'manual') return once(url, init)
    for (let asked = new URL(url), count = 0; ; count++) {
      const answer = await once(asked, { ...init, redirect: 'manual' })
      const next = nextOf(asked, answer, init.method)
      if (next === undefined) return answer
      await answer.body?.cancel()
      if (next.origin !== asked.origin)
        throw new TypeError('The answer is a redirect to another host, which is not followed.')
      if (count >= redirectsMax) throw new TypeError(`There are more than ${redirectsMax} redirects.`)
      asked = next
    }
  }

  return { fetch: follow as typeof fetch, close: () => dispatcher.destroy() }
}

/** Where a redirect leads; undefined: it is none that may be followed. What changes the method is for what is only read. */
function nextOf(asked: URL, { status, headers }: Response, method = 'GET'): URL | undefined {
  const location = headers.get('location')
  if (!redirectStatuses.has(status) || location === null || !URL.canParse(location, asked)) return undefined
  const keepsMethod = status === 307 || status === 308 || method.toUpperCase() === 'GET'
  return keepsMethod ? new URL(location, asked) : undefined
}
