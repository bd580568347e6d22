import { expect, test } from 'vitest'
import { createCostSummer } from '../../src/stores/cost-summer.ts'

test('a report is preceded by as many steps as there are, and the next by one look', async () => {
  let left = 3
  let steps = 0
  const sum = createCostSummer(async () => {
    steps++
    return left-- > 1
  })
  await sum('default', {}, [])
  expect(steps).toBe(3)
  await sum('default', {}, [])
  expect(steps).toBe(4)
})

test('of reports that are asked for at once one sums at a time, in turn', async () => {
  const left: Record<string, number> = { essay: 3, review: 2 }
  const log: string[] = []
  const sum = createCostSummer(async (_tenant, { tactic = '' }) => {
    log.push(`${tactic} begins`)
    await Promise.resolve()
    log.push(`${tactic} ends`)
    left[tactic] = (left[tactic] ?? 0) - 1
    return left[tactic] > 0
  })
  await Promise.all([sum('default', { tactic: 'essay' }, []), sum('default', { tactic: 'review' }, [])])
  expect(log).toEqual(
    ['essay', 'review', 'essay', 'review', 'essay'].flatMap((tactic) => [`${tactic} begins`, `${tactic} ends`]),
  )
})

test('a step that fails fails its report, and not the next one', async () => {
  let isBroken = true
  const sum = createCostSummer(async () => {
    if (isBroken) throw new Error('disk full')
    return false
  })
  const first = sum('default', {}, [])
  await expect(first).rejects.toThrow('disk full')
  isBroken = false
  await expect(sum('default', {}, [])).resolves.toBeUndefined()
})
