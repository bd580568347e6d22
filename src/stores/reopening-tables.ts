import type { StoreTables } from './budget-tables.ts'

/**
 * Tables that are opened when they are first used, and again after an error that makes their connection doubtful: a
 * disk that was full for a while must not need a restart. What failed so is tried once more on the new connection,
 * which also settles a commit of which nobody knows whether it arrived; writing a session twice changes nothing, and an
 * allocation is changed only if it still is what it was. A key that is claimed again by the same use is claimed once, and
 * a run that has ended is told so again.
 *
 * Calls must come one after another.
 */
export function createReopeningTables(
  open: () => Promise<StoreTables>,
  isAboutConnection: (error: unknown) => boolean,
): StoreTables {
  let opened: StoreTables | undefined

  async function drop() {
    const broken = opened
    opened = undefined
    // It is broken already: how it ends changes nothing.
    await broken?.close().catch(() => undefined)
  }

  async function attempt<Result>(work: (tables: StoreTables) => Promise<Result>): Promise<Result> {
    opened ??= await open()
    try {
      return await work(opened)
    } catch (error) {
      if (isAboutConnection(error)) await drop()
      throw error
    }
  }

  async function withTables<Result>(work: (tables: StoreTables) => Promise<Result>): Promise<Result> {
    const wasOpen = opened !== undefined
    try {
      return await attempt(work)
    } catch (error) {
      if (!wasOpen || opened !== undefined) throw error
      return attempt(work)
    }
  }

  return {
    async saveAll(batch) {
      const refusals = await withTables((tables) => tables.saveAll(batch))
      if (refusals.some(({ error }) => isAboutConnection(error))) await drop()
      return refusals
    },
    recordOf: (tenant, id) => withTables((tables) => tables.recordOf(tenant, id)),
    findIds: (tenant, prefix, limit) => withTables((tables) => tables.findIds(tenant, prefix, limit)),
    delete: (tenant, id) => withTables((tables) => tables.delete(tenant, id)),
    list: (tenant, filter, limit, after) => withTables((tables) => tables.list(tenant, filter, limit, after)),
    costOf: (tenant, id) => withTables((tables) => tables.costOf(tenant, id)),
    costs: (tenant, filter, groupBy) => withTables((tables) => tables.costs(tenant, filter, groupBy)),
    sumCosts: (tenant, filter, groupBy) => withTables((tables) => tables.sumCosts(tenant, filter, groupBy)),
    loadAllocations: () => withTables((tables) => tables.loadAllocations()),
    changeAllocations: (changes) => withTables((tables) => tables.changeAllocations(changes)),
    forgetAllocations: (endedByMs) => withTables((tables) => tables.forgetAllocations(endedByMs)),
    claimKey: (request, owner) => withTables((tables) => tables.claimKey(request, owner)),
    completeKey: (use, answer) => withTables((tables) => tables.completeKey(use, answer)),
    releaseKey: (use) => withTables((tables) => tables.releaseKey(use)),
    beatKeys: (owner) => withTables((tables) => tables.beatKeys(owner)),
    forgetKeys: (limit) => withTables((tables) => tables.forgetKeys(limit)),
    callRuns: (method, args) => withTables((tables) => tables.callRuns(method, args)),
    callKeys: (method, args) => withTables((tables) => tables.callKeys(method, args)),
    ping: () => withTables((tables) => tables.ping()),
    async close() {
      await opened?.close()
    },
  }
}
