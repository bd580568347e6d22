import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SharedRates, ShareRequest } from '../../src/domain/shared-rates.ts'

export interface OpenRates {
  /** As several processes have them: each with a connection of its own. */
  readonly processes: readonly [SharedRates, ...SharedRates[]]
  /** Moves the clock of the storage. */
  advance(durationMs: number): Promise<void>
}

const ask = (more: Partial<ShareRequest> = {}): ShareRequest => ({
  rate: 'a model',
  limits: { requests: 10 },
  queue: 'a',
  tokens: [],
  corrections: [],
  ...more,
})

const requests = (count: number) => Array.from({ length: count }, () => 0)

/** What shared rates do, wherever they are kept. The clock stands still unless a test moves it. */
export function sharedRatesContract(name: string, open: () => Promise<OpenRates>) {
  async function openOne() {
    const { processes, advance } = await open()
    const [rates] = processes
    const take = (more: Partial<ShareRequest>) => rates.take(ask(more))
    return { take, advance }
  }

  describe(`${name}: shares`, () => {
    test('are granted to the first requests, as many as there is room for', async () => {
      const { take } = await openOne()
      expect(await take({ tokens: requests(7) })).toMatchObject({ granted: 7, waitMs: 0 })
      const rest = await take({ tokens: requests(7) })
      expect(rest.granted).toBe(3)
      expect(rest.waitMs).toBeGreaterThan(0)
      expect(rest.validMs).toBeGreaterThan(0)
    })

    test('say what is left, and when there is more', async () => {
      const { take, advance } = await openOne()
      expect(await take({})).toMatchObject({ left: 10, moreMs: 0 })
      expect(await take({ tokens: requests(4) })).toMatchObject({ granted: 4, left: 6 })
      await advance(10_000)
      const { left, moreMs } = await take({ tokens: requests(7) })
      expect(left).toBe(0)
      await advance(moreMs - 1)
      expect(await take({})).toMatchObject({ left: 0, moreMs: 1 })
      await advance(1)
      expect(await take({})).toMatchObject({ left: 4 })
      expect(await take({ limits: { tokens: 5 } })).toMatchObject({ left: Number.POSITIVE_INFINITY })
    })

    test('come back when the window has passed, and not before', async () => {
      const { take, advance } = await openOne()
      const { validMs } = await take({ tokens: requests(10) })
      await advance(60_000 + validMs)
      expect(await take({ tokens: [0] })).toMatchObject({ granted: 0 })
      await advance(1_000)
      expect(await take({ tokens: requests(11) })).toMatchObject({ granted: 10 })
    })

    test('are of requests and tokens at once, in order: nobody overtakes one that is too large for now', async () => {
      const { take } = await openOne()
      const limits = { requests: 10, tokens: 1_000 }
      expect(await take({ limits, tokens: [600, 600, 100] })).toMatchObject({ granted: 1 })
      expect(await take({ limits, tokens: [400] })).toMatchObject({ granted: 1 })
    })

    test('of more tokens than the limit are granted when nothing else is used', async () => {
      const { take, advance } = await openOne()
      const limits = { tokens: 1_000 }
      await take({ limits, tokens: [1] })
      expect(await take({ limits, tokens: [5_000] })).toMatchObject({ granted: 0 })
      await advance(62_000)
      expect(await take({ limits, tokens: [5_000] })).toMatchObject({ granted: 1 })
      expect(await take({ limits, tokens: [1] })).toMatchObject({ granted: 0 })
    })

    test('of one rate are not those of another', async () => {
      const { take } = await openOne()
      await take({ tokens: requests(10) })
      expect(await take({ rate: 'another', tokens: requests(10) })).toMatchObject({ granted: 10 })
    })

    test('that are not limited are all granted', async () => {
      const { take } = await openOne()
      expect(await take({ limits: {}, tokens: [1e9, 1e9] })).toMatchObject({ granted: 2 })
    })

    test('are never more than the limit, however many processes ask at once', async () => {
      const { processes } = await open()
      const asked = processes.flatMap((rates, process) =>
        Array.from({ length: 8 }, (_, index) =>
          rates.take(ask({ queue: `${process} ${index}`, tokens: requests(1 + (index % 3)) })),
        ),
      )
      const granted = (await Promise.all(asked)).map((shares) => shares.granted)
      expect(granted.reduce((sum, count) => sum + count, 0)).toBe(10)
    })
  })

  describe(`${name}: corrections`, () => {
    const limits = { tokens: 1_000 }

    test('give back what was not used, and take what was used in addition', async () => {
      const { take } = await openOne()
      const { cell } = await take({ limits, tokens: [900] })
      const less = { cell, requests: 0, tokens: -500 }
      expect(await take({ limits, tokens: [400], corrections: [less] })).toMatchObject({ granted: 1 })
      const more = { cell, requests: 0, tokens: 150 }
      expect(await take({ limits, tokens: [51], corrections: [more] })).toMatchObject({ granted: 0 })
      expect(await take({ limits, tokens: [50] })).toMatchObject({ granted: 1 })
    })

    test('give back whole requests', async () => {
      const { take } = await openOne()
      const { cell } = await take({ tokens: requests(10) })
      await take({ corrections: [{ cell, requests: -2, tokens: 0 }] })
      expect(await take({ tokens: requests(3) })).toMatchObject({ granted: 2 })
    })

    test('count where the share was taken, for as long as that', async () => {
      const { take, advance } = await openOne()
      const { cell } = await take({ limits, tokens: [100] })
      await advance(50_000)
      await take({ limits, corrections: [{ cell, requests: 0, tokens: 900 }] })
      expect(await take({ limits, tokens: [1] })).toMatchObject({ granted: 0 })
      await advance(12_000)
      expect(await take({ limits, tokens: [1_000] })).toMatchObject({ granted: 1 })
    })

    test('of what does not count any more change nothing', async () => {
      const { take, advance } = await openOne()
      const { cell } = await take({ limits, tokens: [900] })
      await advance(62_000)
      await take({ limits, tokens: [500], corrections: [{ cell, requests: 0, tokens: 1_000 }] })
      const gone = { cell, requests: -1, tokens: -900 }
      expect(await take({ limits, tokens: [501], corrections: [gone] })).toMatchObject({ granted: 0 })
    })
  })

  describe(`${name}: queues that wait`, () => {
    test('take turns: who had a share goes behind those who wait', async () => {
      const { take, advance } = await openOne()
      // So that there is room for one more every second, later.
      for (let count = 0; count < 10; count++) {
        await take({ queue: 'before', tokens: [0] })
        await advance(1_000)
      }
      await advance(51_000)
      for (const queue of ['a', 'b', 'c']) await take({ queue, tokens: requests(5) })
      const order: string[] = []
      for (let count = 0; count < 40 && order.length < 6; count++) {
        await advance(250)
        for (const queue of ['c', 'b', 'a']) {
          const { granted } = await take({ queue, tokens: requests(5) })
          if (granted > 0) order.push(queue)
        }
      }
      expect(order).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
    })

    test('are not overtaken by small requests, however large theirs is', async () => {
      const { take, advance } = await openOne()
      const limits = { tokens: 1_000 }
      await take({ limits, queue: 'small', tokens: [500] })
      expect(await take({ limits, queue: 'large', tokens: [900] })).toMatchObject({ granted: 0 })
      expect(await take({ limits, queue: 'small', tokens: [10] })).toMatchObject({ granted: 0 })
      for (let time = 0; time < 62_000; time += 1_000) {
        await advance(1_000)
        await take({ limits, queue: 'small', tokens: [10] })
        if ((await take({ limits, queue: 'large', tokens: [900] })).granted === 1) return
      }
      expect.fail('The large request was never granted.')
    })

    test('lose their turns when they do not come back, and when they wait for nothing any more', async () => {
      const { take, advance } = await openOne()
      await take({ queue: 'a', tokens: requests(10) })
      await take({ queue: 'dead', tokens: [0] })
      await take({ queue: 'done', tokens: [0] })
      await take({ queue: 'done' })
      await advance(62_000)
      expect(await take({ queue: 'a', tokens: [0] })).toMatchObject({ granted: 1 })
    })

    test('are told when to ask again, in a second at the most', async () => {
      const { take, advance } = await openOne()
      await take({ queue: 'a', tokens: requests(10) })
      for (let time = 0; time < 62_000; ) {
        const { granted, waitMs } = await take({ queue: 'a', tokens: [0] })
        if (granted === 1) return
        expect(waitMs).toBeGreaterThan(0)
        expect(waitMs).toBeLessThanOrEqual(1_000)
        await advance(waitMs)
        time += waitMs
      }
      expect(await take({ queue: 'a', tokens: [0] })).toMatchObject({ granted: 1 })
    })
  })

  describe(`${name}: the clock`, () => {
    test('may be set back: nothing is forgotten, and nobody waits for longer than from then on', async () => {
      const { take, advance } = await openOne()
      const { cell } = await take({ limits: { requests: 10, tokens: 100 }, tokens: requests(10) })
      await advance(-3_600_000)
      expect(await take({ tokens: [0] })).toMatchObject({ granted: 0 })
      await advance(30_000)
      // What was taken later is corrected, too.
      await take({ corrections: [{ cell, requests: -1, tokens: 0 }] })
      await advance(32_000)
      expect(await take({ tokens: requests(10) })).toMatchObject({ granted: 10 })
    })
  })

  test(`${name}: whenever granted requests are sent, in no 60 seconds are more than the limits`, async () => {
    const step = fc.record({
      pauseMs: fc.oneof(fc.nat(1_500), fc.nat(30_000)),
      queue: fc.constantFrom('a', 'b', 'c'),
      tokens: fc.array(fc.nat(60), { maxLength: 8 }),
      /** Which part of the time for which it is valid passes before it is sent. */
      delay: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      usedPart: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { processes, advance } = await open()
        const limits = { requests: 9, tokens: 200 }
        const sent: { atMs: number; tokens: number }[] = []
        let corrections: ShareRequest['corrections'] = []
        let nowMs = 0
        for (const [index, { pauseMs, queue, tokens, delay, usedPart }] of steps.entries()) {
          await advance(pauseMs)
          nowMs += pauseMs
          const rates = processes[index % processes.length] ?? processes[0]
          const shares = await rates.take(ask({ queue, limits, tokens, corrections }))
          const used = tokens.slice(0, shares.granted).map((most) => ({ most, tokens: Math.round(most * usedPart) }))
          for (const one of used) sent.push({ atMs: nowMs + delay * shares.validMs, tokens: one.tokens })
          corrections = used.map((one) => ({ cell: shares.cell, requests: 0, tokens: one.tokens - one.most }))
        }
        for (const { atMs: fromMs } of sent) {
          const within = sent.filter(({ atMs }) => atMs >= fromMs && atMs < fromMs + 60_000)
          expect(within.length).toBeLessThanOrEqual(limits.requests)
          expect(within.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(limits.tokens)
        }
      }),
      { numRuns: name === 'memory' ? 100 : 12 },
    )
  })
}
