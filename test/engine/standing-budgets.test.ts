import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StandingBudget } from '../../src/domain/budget.ts'
import type { AllocationChange, BudgetStore } from '../../src/domain/budget-store.ts'
import { LllmError } from '../../src/domain/errors.ts'
import { noAmounts } from '../../src/domain/limits.ts'
import { reserve } from '../../src/engine/reservation.ts'
import { openStandingBudgets, type StandingBudgets } from '../../src/engine/standing-budgets.ts'
import { createMemoryBudgetStore } from '../../src/stores/memory-budget-store.ts'

const never = new AbortController().signal
const essay = { name: 'essay', id: 'house::essay' }
const total: StandingBudget = { scope: { kind: 'total' }, limitPicoUsd: 1_000n, per: 'day' }
const noon = Date.UTC(2026, 10, 22, 12)

/** Budgets on a store that outlives them, as a database does a process. Time stands still until it is moved. */
function open(budgets: readonly StandingBudget[], store: BudgetStore = createMemoryBudgetStore()) {
  const time = { nowMs: noon }
  const changes: AllocationChange[] = []
  const counted: BudgetStore = {
    ...store,
    change: (batch) => {
      changes.push(...batch)
      return store.change(batch)
    },
  }
  const clock = { now: () => time.nowMs, sleep: async () => {}, random: () => 0 }
  const restart = () => openStandingBudgets(budgets, counted, clock)
  return { restart, time, changes, store }
}

/** What is spent as a call of a tactic with some tags. */
async function spend(budgets: StandingBudgets, worst: number, taken = worst, tags = {}, tactic = essay) {
  const reservation = await take(budgets, worst, tags, tactic)
  reservation.settle({ ...noAmounts, usd: BigInt(taken) })
}

function take(budgets: StandingBudgets, worst: number, tags = {}, tactic = essay) {
  const find = budgets.of(tactic, tags)
  return reserve(() => find.map((one) => one()), { ...noAmounts, usd: BigInt(worst) }, never)
}

function spentIn(budgets: StandingBudgets) {
  return budgets.statuses().map(({ spentPicoUsd }) => Number(spentPicoUsd))
}

describe('a standing budget', () => {
  test('holds for all calls together', async () => {
    const budgets = await open([total]).restart()
    await spend(budgets, 600)
    await expect(spend(budgets, 500)).rejects.toMatchObject({
      code: 'budget-exceeded',
      message: expect.stringContaining('the total budget per day'),
    })
    expect(spentIn(budgets)).toEqual([600])
  })

  test('is that of the tactics and tags that it is about', async () => {
    const about = (scope: StandingBudget['scope']): StandingBudget => ({ ...total, scope })
    const budgets = await open([
      about({ kind: 'tactic', tactic: 'essay' }),
      about({ kind: 'tactic', tactic: 'other::essay' }),
      about({ kind: 'tag', key: 'team', value: 'red' }),
      about({ kind: 'tag', key: 'team', value: null }),
    ]).restart()
    await spend(budgets, 1, 1, { team: 'red' })
    await spend(budgets, 20, 20, { team: 'blue', toString: 'x' })
    await spend(budgets, 300, 300, {}, { name: 'poem', id: 'house::poem' })
    expect(spentIn(budgets)).toEqual([21, 0, 1, 21])
    expect(budgets.statuses()[3]).toMatchObject({
      valueCount: 2,
      values: [
        { value: 'blue', spentPicoUsd: 20n },
        { value: 'red', spentPicoUsd: 1n },
      ],
    })
  })

  test('of a tag without a value is one for each value', async () => {
    const budgets = await open([{ ...total, scope: { kind: 'tag', key: 'team', value: null } }]).restart()
    await spend(budgets, 1_000, 1_000, { team: 'red' })
    await spend(budgets, 1_000, 1_000, { team: 'blue' })
    await expect(spend(budgets, 1, 1, { team: 'red' })).rejects.toMatchObject({ code: 'budget-exceeded' })
  })

  test.each([
    ['day', Date.UTC(2026, 10, 23)],
    ['month', Date.UTC(2026, 11, 1)],
  ] as const)('starts anew with each %s, and what is under way is settled where it was reserved', async (per, next) => {
    const { restart, time, store } = open([{ ...total, per }])
    const budgets = await restart()
    await spend(budgets, 700)
    const underWay = await take(budgets, 300)
    time.nowMs = next - 1
    expect(spentIn(budgets)).toEqual([700])
    time.nowMs = next
    expect(budgets.statuses()).toMatchObject([{ spentPicoUsd: 0n, reservedPicoUsd: 0n, window: { startsAtMs: next } }])
    underWay.settle({})
    await spend(budgets, 1_000)
    expect(spentIn(budgets)).toEqual([1_000])
    expect((await store.load()).every(({ startsAtMs }) => startsAtMs === next)).toBe(true)
  })

  test('lets whoever waited over midnight spend from the new day', async () => {
    const { restart, time } = open([total])
    const budgets = await restart()
    const underWay = await take(budgets, 1_000)
    const waiting = take(budgets, 600)
    time.nowMs = Date.UTC(2026, 10, 23)
    underWay.settle({ ...noAmounts, usd: 999n })
    await waiting
    expect(budgets.statuses()).toMatchObject([{ spentPicoUsd: 0n, reservedPicoUsd: 600n }])
  })
})

describe('over a restart', () => {
  test('what was spent is still spent after a clean end, to the last of it', async () => {
    const { restart } = open([total])
    const before = await restart()
    await spend(before, 300, 123)
    await before.close()
    const after = await restart()
    expect(spentIn(after)).toEqual([123])
    await spend(after, 877)
    await expect(spend(after, 1)).rejects.toMatchObject({ code: 'budget-exceeded' })
  })

  test('after a kill everything counts as spent that may have been, and little more', async () => {
    const { restart } = open([total])
    const killed = await restart()
    for (let count = 0; count < 50; count++) await spend(killed, 10, 4)
    await take(killed, 100)
    const after = await restart()
    const [spent = 0] = spentIn(after)
    expect(spent).toBeGreaterThanOrEqual(300)
    expect(spent).toBeLessThanOrEqual(300 + 3 * 11)
  })

  test('a limit that was made smaller holds at once', async () => {
    const { restart, store } = open([total])
    const before = await restart()
    await spend(before, 500)
    await before.close()
    await restart()
    const after = await open([{ ...total, limitPicoUsd: 400n }], store).restart()
    await expect(spend(after, 1)).rejects.toMatchObject({ code: 'budget-exceeded' })
  })

  test('few writes are made: calls that are small share them', async () => {
    const { restart, changes } = open([{ ...total, limitPicoUsd: 1_000_000n }])
    const budgets = await restart()
    for (let count = 0; count < 1_000; count++) await spend(budgets, 900, 900)
    expect(changes.length).toBeLessThanOrEqual(110)
  })
})

describe('with a store that fails', () => {
  test('nothing is spent that could not be written down, and all goes on when the store does', async () => {
    const memory = createMemoryBudgetStore()
    let fails = true
    const { restart } = open([total], {
      ...memory,
      change: async (changes) => {
        if (fails) throw new LllmError('store-unavailable', 'The disk is full.')
        return memory.change(changes)
      },
    })
    const budgets = await restart()
    await expect(spend(budgets, 10)).rejects.toMatchObject({ code: 'store-unavailable' })
    fails = false
    await spend(budgets, 10)
    expect(spentIn(budgets)).toEqual([10])
  })

  test('a write that arrived although it failed counts as spent', async () => {
    const memory = createMemoryBudgetStore()
    let fails = true
    const { restart } = open([total], {
      ...memory,
      change: async (changes) => {
        const results = await memory.change(changes)
        if (fails) throw new LllmError('store-unavailable', 'Nobody knows.')
        return results
      },
    })
    const budgets = await restart()
    await expect(spend(budgets, 100)).rejects.toMatchObject({ code: 'store-unavailable' })
    fails = false
    await spend(budgets, 100)
    expect(spentIn(budgets)).toEqual([200])
  })
})

const step = fc.oneof(
  fc.record({ kind: fc.constant('spend'), worst: fc.nat(300), taken: fc.nat(300), isUnknown: fc.boolean() }),
  fc.record({ kind: fc.constant('kill') }),
  fc.record({ kind: fc.constant('close') }),
  fc.record({ kind: fc.constant('pause') }),
)

test('whatever is spent by how many processes, killed or closed: their bills together never pass the limit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), step), { maxLength: 40 }), async (steps) => {
      const { restart } = open([total])
      const processes = [await restart(), await restart()]
      let bill = 0
      const underWay: Promise<unknown>[] = []
      for (const [index, action] of steps) {
        const process = processes[index] as StandingBudgets
        if (action.kind === 'spend' && 'worst' in action) {
          const taken = Math.min(action.worst, action.taken)
          const spending = take(process, action.worst).then(
            async (reservation) => {
              bill += action.isUnknown ? action.worst : taken
              await Promise.resolve()
              reservation.settle(action.isUnknown ? {} : { ...noAmounts, usd: BigInt(taken) })
            },
            (error: unknown) => expect(error).toMatchObject({ code: 'budget-exceeded' }),
          )
          underWay.push(spending)
        }
        if (action.kind === 'pause') await Promise.all(underWay)
        if (action.kind === 'kill') processes[index] = await restart()
        if (action.kind === 'close') {
          await Promise.all(underWay)
          await process.close()
          processes[index] = await restart()
        }
        expect(bill).toBeLessThanOrEqual(1_000)
      }
      await Promise.all(underWay)
      expect(bill).toBeLessThanOrEqual(1_000)
      for (const process of processes) expect(process.statuses()).toMatchObject([{ reservedPicoUsd: 0n }])
    }),
    { numRuns: 300 },
  )
})
