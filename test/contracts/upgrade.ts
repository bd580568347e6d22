import { expect, test } from 'vitest'
import { addCosts } from '../../src/domain/cost.ts'
import { hashKey } from '../../src/http/idempotency-key.ts'
import type { StoreWithBudgets } from '../../src/stores/budget-tables.ts'
import { oldBatchId, oldKeyAnswer, oldSessions, oldStartMs } from '../support/old-database.ts'
import { idsOf } from '../support/session-stores.ts'
import { sessionId } from '../support/sessions.ts'

/** What a store keeps to whose tables were made, and filled, by a version that knew no tenants. `open` is asked once for each test. */
export function upgradeContract(name: string, open: () => Promise<StoreWithBudgets>) {
  async function withStore(look: (store: StoreWithBudgets) => Promise<void>) {
    const store = await open()
    await look(store).finally(() => store.close())
  }

  test(`${name}: sessions of an older version are the default tenant's, in lists and by their tags`, () =>
    withStore(async (store) => {
      expect(await idsOf(store, {})).toEqual([4, 2, 1].map(sessionId))
      expect(await idsOf(store, { tags: { team: 'blue' } })).toEqual([4, 2].map(sessionId))
      expect(await store.get(sessionId(1))).toMatchObject({ id: sessionId(1), task: 'bees' })
      expect(await idsOf(store.of('red'), {})).toEqual([])
    }))

  test(`${name}: costs of an older version are summed to the pico-USD, also once a session is gone`, () =>
    withStore(async (store) => {
      const told = async () => {
        const { total } = await store.costs({ startedBeforeMs: oldStartMs + 90_000_000 }, ['tactic'])
        return { sessions: total.sessions, prompt: total.promptPicoUsd, completion: total.completionPicoUsd }
      }
      const sumOf = (sessions: typeof oldSessions) => {
        const { promptPicoUsd, completionPicoUsd } = addCosts(sessions.map(({ cost }) => cost))
        return { sessions: sessions.length, prompt: BigInt(promptPicoUsd), completion: BigInt(completionPicoUsd) }
      }
      expect(sumOf(oldSessions).prompt).toBeGreaterThan(0n)
      expect(await told()).toEqual(sumOf(oldSessions))
      await store.delete(sessionId(1))
      expect(await told()).toEqual(sumOf(oldSessions.slice(1)))
    }))

  test(`${name}: runs of an older version are listed, resumed, taken over and started, in their batch`, () =>
    withStore(async ({ runs }) => {
      expect((await runs.list({ tags: { team: 'blue' } }, 10)).data).toHaveLength(3)
      expect(await runs.batch(oldBatchId)).toMatchObject({
        tenant: 'default',
        counts: { queued: 1, running: 1, success: 0, failure: 1, cancelled: 0 },
        cost: oldSessions.at(-1)?.cost,
      })
      expect(await runs.of('red').resume(sessionId(4))).toBe('unknown')
      expect(await runs.resume(sessionId(4))).toBe('resumed')
      const claimed = await runs.claim({ owner: 'one', slots: 9, concurrencyMax: 9, leaseMs: 60_000, takesOver: true })
      expect(claimed.map(({ id }) => id).sort()).toEqual([4, 5, 6].map(sessionId))
      expect(claimed.map(({ tenant, key, schedule, request }) => [tenant, key, schedule, request.task])).toEqual(
        claimed.map(() => ['default', null, null, 'bees']),
      )
      expect((await runs.history(sessionId(5))).journal).toHaveLength(1)
    }))

  test(`${name}: what an older version spent, was about to tell and had answered is known`, () =>
    withStore(async ({ budgets, webhooks, idempotency, keys }) => {
      expect(await budgets.load()).toMatchObject([{ budget: 'month total', picoUsd: 5_000_000_000_001n }])
      expect(await webhooks.ofRun(sessionId(4))).toMatchObject([{ id: 'delivery-1', state: 'pending' }])
      const again = { keyHash: hashKey('default', 'again'), fingerprint: 'the same', workId: 'new', joins: false }
      expect(await idempotency.claim(again)).toEqual({ kind: 'answered', answer: oldKeyAnswer })
      expect(await keys.isEmpty()).toBe(true)
    }))
}
