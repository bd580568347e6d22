import type { Clock } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import type { SessionStore } from '../domain/session-store.ts'
import type { Engine } from '../engine/engine.ts'
import type { Shutdown } from './shutdown.ts'

/** A load balancer may ask often; the store is asked at most once in this time. */
const freshMs = 1_000
/** A store that needs longer than this to answer a ping is not ready. */
const pingTimeoutMs = 2_000

/** Tells whether the service can take calls. */
export interface Readiness {
  /** Rejects with an LllmError `draining` or `store-unavailable` when it cannot. */
  check(): Promise<void>
}

export interface ReadinessParts {
  readonly store: Pick<SessionStore, 'ping'>
  readonly engine: Pick<Engine, 'unsavedSessions'>
  readonly shutdown: Pick<Shutdown, 'begun'>
  readonly clock: Clock
}

export function createReadiness({ store, engine, shutdown, clock }: ReadinessParts): Readiness {
  let askedAtMs = Number.NEGATIVE_INFINITY
  let answer: Promise<void> | undefined

  return {
    async check() {
      if (shutdown.begun) throw new LllmError('draining', 'The service is shutting down.')
      const { unsavedSessions } = engine
      if (unsavedSessions > 0) {
        throw new LllmError('store-unavailable', `${unsavedSessions} sessions wait for the session store to take them.`)
      }
      const nowMs = clock.now()
      if (answer === undefined || nowMs - askedAtMs >= freshMs) {
        askedAtMs = nowMs
        answer = ping(store, clock)
      }
      return answer
    },
  }
}

async function ping(store: ReadinessParts['store'], clock: Clock): Promise<void> {
  const answered = new AbortController()
  const tooLate = clock.sleep(pingTimeoutMs, answered.signal).then(
    () =>
      Promise.reject(new LllmError('store-unavailable', `The session store did not answer in ${pingTimeoutMs} ms.`)),
    () => undefined,
  )
  try {
    await Promise.race([store.ping(), tooLate])
  } finally {
    answered.abort()
  }
}
