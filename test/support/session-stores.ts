import type { Session } from '../../src/domain/session.ts'
import type { SessionFilter, SessionStore, TenantSessions } from '../../src/domain/session-store.ts'

/** Opens a new store that holds these sessions. It is closed after the test. */
export type OpenStore = (sessions?: readonly Session[]) => Promise<SessionStore>

/** The ids of all sessions that fit, newest first. */
export async function idsOf(store: TenantSessions, filter: SessionFilter): Promise<readonly string[]> {
  const { data } = await store.list(filter, 100)
  return data.map(({ id }) => id)
}

/** 0, 1, 2 … */
export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
