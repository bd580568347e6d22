import { isLllmError, LllmError } from '../domain/errors.ts'
import { inTime } from '../domain/in-time.ts'
import type { Session } from '../domain/session.ts'
import type { SessionStore } from '../domain/session-store.ts'

/** Sessions that wait for the store to come back. Beyond this, the oldest is given up. */
const waitingMax = 1_000
const retryEveryMs = 1_000
/** A store that takes longer than this counts as failing: nobody's answer waits for it any longer. */
const savingMaxMs = 5_000

/** Sees to it that a store which fails does not cost anybody the result that was paid for. */
export interface SessionKeeper {
  /** Resolves, never rejects, once the session is saved or waits to be. */
  keep(session: Session, record?: string): Promise<void>
  /** How many sessions wait for the store. */
  readonly waitingCount: number
  /** Tries once more to save what waits, then lets go of it. */
  close(): Promise<void>
}

export type KeeperEvent =
  | { readonly type: 'session.unsaved'; readonly sessionId: string; readonly error: unknown }
  | { readonly type: 'session.saved-late'; readonly sessionId: string }
  | { readonly type: 'session.lost'; readonly sessionId: string }

export function keepSessions(store: Pick<SessionStore, 'save'>, emit: (event: KeeperEvent) => void): SessionKeeper {
  const waiting = new Map<string, Session>()
  let timer: NodeJS.Timeout | undefined
  let retrying: Promise<void> | undefined

  async function saveWaiting() {
    for (const [sessionId, session] of waiting) {
      try {
        await saveInTime(store, session)
      } catch {
        return // It was reported when it first failed; the store is still down.
      }
      waiting.delete(sessionId)
      emit({ type: 'session.saved-late', sessionId })
    }
  }

  /** Never twice at once: a session would be saved and told of twice. */
  function retry(): Promise<void> {
    retrying ??= saveWaiting().finally(() => (retrying = undefined))
    return retrying
  }

  function retryLater() {
    if (waiting.size === 0 || timer !== undefined) return
    timer = setTimeout(async () => {
      await retry()
      timer = undefined
      retryLater()
    }, retryEveryMs).unref()
  }

  return {
    get waitingCount() {
      return waiting.size
    },
    async keep(session, record) {
      try {
        await saveInTime(store, session, record)
      } catch (error) {
        emit({ type: 'session.unsaved', sessionId: session.id, error })
        if (isLllmError(error) && error.data['isPermanent'] === true) {
          emit({ type: 'session.lost', sessionId: session.id })
          return
        }
        waiting.set(session.id, session)
        const [oldest] = waiting.keys()
        if (waiting.size > waitingMax && oldest !== undefined) {
          waiting.delete(oldest)
          emit({ type: 'session.lost', sessionId: oldest })
        }
        retryLater()
      }
    },
    async close() {
      clearTimeout(timer)
      await retry()
      for (const sessionId of waiting.keys()) emit({ type: 'session.lost', sessionId })
      waiting.clear()
    },
  }
}

/** A save that comes after its time does no harm: saving a session again replaces it. */
function saveInTime(store: Pick<SessionStore, 'save'>, session: Session, record?: string): Promise<void> {
  const message = `The session store has not answered for ${savingMaxMs} ms.`
  return inTime(store.save(session, record), savingMaxMs, () => new LllmError('store-unavailable', message))
}
