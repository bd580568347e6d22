import { LllmError } from '../domain/errors.ts'
import type { SessionRecord } from '../domain/session-record.ts'
import type { SessionStore, TenantSessions } from '../domain/session-store.ts'
import { defaultTenant } from '../domain/tenant.ts'
import { createCostSummer } from './cost-summer.ts'
import { createSaveQueue } from './save-queue.ts'
import { toSessionRows } from './session-rows.ts'
import type { SessionTables } from './session-tables.ts'
import { toStoredSession } from './stored-session.ts'

/** A session store on any tables. Their errors have to be what the port promises. */
export function createTableStore(kind: string, tables: SessionTables): SessionStore {
  const queue = createSaveQueue((batch) => tables.saveAll(batch), tables.takeReplies)
  const sumCosts = createCostSummer((...args) => tables.sumCosts(...args))
  let closing: Promise<void> | undefined

  /** Accepts a call, unless the store is closed. */
  async function whileOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    if (closing !== undefined) throw new LllmError('store-unavailable', 'The session store is closed.')
    return work()
  }

  const of = (tenant: string): TenantSessions => ({
    get: (id) =>
      whileOpen(async () => {
        const record = await tables.recordOf(tenant, id)
        return record === undefined ? undefined : (JSON.parse(record) as SessionRecord)
      }),
    findIds: (prefix, limit) => whileOpen(() => tables.findIds(tenant, prefix, limit)),
    delete: (id) => whileOpen(() => tables.delete(tenant, id)),
    list: (filter, limit, after) => whileOpen(() => tables.list(tenant, filter, limit, after)),
    costOf: (id) => whileOpen(() => tables.costOf(tenant, id)),
    costs: (filter, groupBy) =>
      whileOpen(async () => {
        await sumCosts(tenant, filter, groupBy)
        return tables.costs(tenant, filter, groupBy)
      }),
  })

  return {
    kind,
    save: (session, record) =>
      whileOpen(() => {
        const stored = toStoredSession(session, record)
        return queue.save(toSessionRows(stored), stored.record.length)
      }),
    ...of(defaultTenant),
    of,
    ping: () => whileOpen(() => tables.ping()),
    close() {
      closing ??= queue.drain().then(() => tables.close())
      return closing
    },
  }
}
