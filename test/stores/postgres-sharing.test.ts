import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AllocationChange } from '../../src/domain/budget-store.ts'
import { openPostgresStore } from '../../src/stores/postgres-store.ts'
import { missingPostgres, openDatabase } from '../support/postgres.ts'
import { range } from '../support/session-stores.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'

const suite =
  missingPostgres === undefined ? 'processes on one PostgreSQL' : `processes on one PostgreSQL (${missingPostgres})`

describe.skipIf(missingPostgres !== undefined)(suite, () => {
  let stores: readonly Awaited<ReturnType<typeof openPostgresStore>>[] = []
  let stop = async () => {}

  beforeAll(async () => {
    const { url, stop: stopDatabase } = await openDatabase()
    stop = stopDatabase
    stores = await Promise.all(range(3).map(() => openPostgresStore(url)))
  })
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()))
    await stop()
  })

  test('may save the same session at once: it is there once, and whole', async () => {
    for (const round of range(20)) {
      const session = buildSession({ id: sessionId(round) })
      await Promise.all(stores.map((store) => store.save(session)))
    }
    const reports = await Promise.all(stores.map((store) => store.costs({}, ['tactic'])))
    expect(reports.map(({ total }) => [total.sessions, total.llmCalls])).toEqual(Array(3).fill([20, 20]))
  })

  test('may save the same sessions in different orders, and none of them waits for another for ever', async () => {
    const sessions = range(40).map((number) => buildSession({ id: sessionId(1_000 + number), tactic: 'orders' }))
    for (const _ of range(5)) {
      const orders = [sessions, sessions.toReversed()]
      await Promise.all(orders.flatMap((order, index) => order.map((session) => stores[index]?.save(session))))
    }
    expect((await stores[0]?.costs({ tactic: 'orders' }, ['tactic']))?.total.sessions).toBe(40)
  })

  test('who change one allocation at once: exactly one of them does, and the others learn what it is now', async () => {
    const endsAtMs = testStartMs + 86_400_000
    for (const round of range(10)) {
      const change = (nextPicoUsd: number): AllocationChange => ({
        budget: 'daily',
        value: `${round}`,
        startsAtMs: testStartMs,
        endsAtMs,
        expectedPicoUsd: 0n,
        nextPicoUsd: BigInt(nextPicoUsd),
      })
      const results = await Promise.all(stores.map((store, index) => store.budgets.change([change(index + 1)])))
      const changed = results.flat().filter(({ isChanged }) => isChanged)
      expect(changed).toHaveLength(1)
      expect(results.flat().map(({ picoUsd }) => picoUsd)).toEqual(Array(3).fill(changed[0]?.picoUsd))
    }
  })
})
