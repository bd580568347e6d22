import { describe, expect, onTestFinished, test } from 'vitest'
import { createMemoryBudgetStore } from '../../src/stores/memory-budget-store.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { budgetStoreContract } from '../contracts/budget-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { newPath } = databaseFiles()

async function openBudgets(database: string) {
  const store = await openSessionStore(database)
  onTestFinished(() => store.close())
  return store.budgets
}

const change = {
  budget: 'day total',
  value: '',
  startsAtMs: 0,
  endsAtMs: 1,
  expectedPicoUsd: 0n,
  nextPicoUsd: 7n,
}

budgetStoreContract('memory', async () => createMemoryBudgetStore())
budgetStoreContract('sqlite', async () => {
  const store = await openSqliteHere(newPath())
  onTestFinished(() => store.close())
  return store.budgets
})

describe('sqlite: allocations that last', () => {
  test('are found when the file is opened again', async () => {
    const path = newPath()
    const before = await openSessionStore(path)
    await before.budgets.change([change])
    await before.close()
    expect(await (await openBudgets(path)).load()).toMatchObject([{ picoUsd: 7n }])
  })

  test('are raised by one of two processes that expect the same', async () => {
    const path = newPath()
    const stores = [await openBudgets(path), await openBudgets(path)]
    const results = await Promise.all(stores.map((store) => store.change([change])))
    expect(results.flat().filter(({ isChanged }) => isChanged)).toHaveLength(1)
  })
})
