import { describe, expect, test } from 'vitest'
import { LllmError } from '../../../src/domain/errors.ts'
import type { SharedRates } from '../../../src/domain/shared-rates.ts'
import { createOwnRates } from '../../../src/http/door/request-rates.ts'
import { shareRequestRates } from '../../../src/http/door/shared-request-rates.ts'
import { memoryRates } from '../../support/memory-rates.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

function openProcesses() {
  const time = virtualClock()
  const { rates: shared, requests } = memoryRates(() => time.clock.now())
  const open = (storage: SharedRates = shared) =>
    shareRequestRates({ shared: storage, own: createOwnRates(time.clock), clock: time.clock })
  return { ...time, shared, requests, open }
}

const allowed = async (counts: readonly (object | Promise<object>)[]) =>
  (await Promise.all(counts)).filter((count) => 'allowed' in count && count.allowed === true).length

describe('several processes', () => {
  test('let in together as many as the limit has', async () => {
    const { open } = openProcesses()
    const [first, second] = [open(), open()]
    const counts = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? first : second).count('a', 7))
    expect(await allowed(counts)).toBe(7)
    expect(await first.count('b', 7)).toMatchObject({ allowed: true, left: 6 })
  })

  test('tell each of the requests that come at once what is left after it', async () => {
    const { open, requests } = openProcesses()
    const rates = open()
    await rates.count('a', 10)
    const counts = await Promise.all([1, 2, 3, 4].map(() => rates.count('a', 10)))
    expect(counts.map(({ left }) => left)).toEqual([8, 7, 6, 5])
    // The first of them alone, and all that came meanwhile at once.
    expect(requests.map(({ tokens }) => tokens.length)).toEqual([1, 1, 3])
  })

  test('do not ask about what they know to be used up', async () => {
    const { open, requests, advance } = openProcesses()
    const rates = open()
    await rates.count('a', 1)
    const { length } = requests
    const refused = await rates.count('a', 1)
    expect(refused).toMatchObject({ allowed: false, left: 0 })
    for (let index = 0; index < 100; index++) await rates.count('a', 1)
    expect(requests).toHaveLength(length)
    await advance(refused.moreMs)
    expect(await rates.count('a', 1)).toMatchObject({ allowed: true })
  })
})

describe('while the storage', () => {
  const failures: readonly [string, SharedRates['take']][] = [
    ['fails', () => Promise.reject(new LllmError('store-unavailable', 'It is away.'))],
    ['hangs', () => new Promise(() => {})],
  ]

  test.each(failures)('%s, each process counts for itself, and asks again later', async (_what, fail) => {
    const { open, shared, advance } = openProcesses()
    let take = fail
    let asked = 0
    const rates = open({
      take(request) {
        asked++
        return take(request)
      },
    })
    const first = rates.count('a', 2)
    await advance(2_100)
    expect(await first).toMatchObject({ allowed: true, left: 1 })
    expect(await allowed([1, 2, 3].map(() => rates.count('a', 2)))).toBe(1)
    expect(asked).toBe(1)
    take = shared.take
    await advance(6_000)
    expect(await rates.count('b', 2)).toMatchObject({ allowed: true, left: 1 })
    expect(asked).toBe(2)
  })
})
