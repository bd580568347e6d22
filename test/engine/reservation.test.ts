import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Amounts, noAmounts } from '../../src/domain/limits.ts'
import { Account } from '../../src/engine/account.ts'
import { type Reservation, reserve } from '../../src/engine/reservation.ts'

const never = new AbortController().signal

function usd(amount: number): Amounts {
  return { ...noAmounts, usd: BigInt(amount) }
}

/** Reserves, and tells whether that has come to an end. */
function ask(accounts: readonly Account[], amounts: Amounts, signal = never) {
  const asked = { state: 'waiting', reservation: undefined as Reservation | undefined, reason: undefined as unknown }
  const ended = reserve(() => accounts, amounts, signal).then(
    (reservation) => Object.assign(asked, { state: 'reserved', reservation }),
    (reason: unknown) => Object.assign(asked, { state: 'refused', reason }),
  )
  return Object.assign(asked, { ended })
}

/** Lets everything happen that does not wait for something else. */
async function settleDown() {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('a reservation', () => {
  test('is made in all accounts at once', async () => {
    const accounts = [new Account('call', { usd: 10n }), new Account('batch', { usd: 20n })]
    const asked = ask(accounts, usd(4))
    await asked.ended
    expect(accounts.map(({ reserved }) => reserved.usd)).toEqual([4n, 4n])
    asked.reservation?.settle(usd(3))
    expect(accounts.map(({ reserved, spent }) => [reserved.usd, spent.usd])).toEqual([
      [0n, 3n],
      [0n, 3n],
    ])
  })

  test('is refused where it could never fit, and then nothing is taken anywhere', async () => {
    const [call, batch] = [new Account('the call of "essay"', { usd: 10n }), new Account('the batch', { usd: 3n })]
    const asked = ask([call, batch], usd(4))
    await asked.ended
    expect(asked.reason).toMatchObject({
      code: 'budget-exceeded',
      message: expect.stringContaining('the batch'),
      data: { budget: { name: 'the batch', unit: 'usd', spent: 0, reserved: 0 } },
    })
    expect([call.reserved, batch.reserved]).toEqual([noAmounts, noAmounts])
  })

  test('waits where it fits if those under way take less than they may, and is refused once they have not', async () => {
    const account = new Account('call', { usd: 10n })
    const [first, second, third] = [ask([account], usd(8)), ask([account], usd(8)), ask([account], usd(8))]
    await settleDown()
    expect([first.state, second.state, third.state]).toEqual(['reserved', 'waiting', 'waiting'])
    first.reservation?.settle(usd(2))
    await settleDown()
    expect([second.state, third.state]).toEqual(['reserved', 'waiting'])
    second.reservation?.settle(usd(1))
    await settleDown()
    expect(third.state).toBe('refused')
    expect(account.spent.usd).toBe(3n)
  })

  test('counts as spent in full where nobody knows what was taken', async () => {
    const account = new Account('call', { usd: 10n, tokens: 10n })
    const asked = ask([account], { usd: 4n, tokens: 5n, llm_calls: 1n })
    await asked.ended
    asked.reservation?.settle({ tokens: 2n })
    expect(account.spent).toEqual({ usd: 4n, tokens: 2n, llm_calls: 1n })
  })

  test('is settled once', async () => {
    const asked = ask([new Account('call', { usd: 10n })], usd(4))
    await asked.ended
    asked.reservation?.settle(usd(1))
    expect(() => asked.reservation?.settle(usd(1))).toThrow('once')
  })

  test.each([
    ['tokens', { usd: 0n, tokens: 11n, llm_calls: 1n }],
    ['llm_calls', { usd: 0n, tokens: 1n, llm_calls: 11n }],
  ] as const)('heeds a limit of %s', async (unit, amounts) => {
    const asked = ask([new Account('call', { [unit]: 10n })], amounts)
    await asked.ended
    expect(asked.reason).toMatchObject({ data: { budget: { unit, limit: 10, needed: 11 } } })
  })
})

describe('whoever waits', () => {
  test('goes in the order of coming, also where somebody behind would fit', async () => {
    const account = new Account('call', { usd: 10n })
    const first = ask([account], usd(9))
    const large = ask([account], usd(8))
    const small = ask([account], usd(1))
    await settleDown()
    expect([large.state, small.state]).toEqual(['waiting', 'waiting'])
    first.reservation?.settle(usd(0))
    await settleDown()
    expect([large.state, small.state]).toEqual(['reserved', 'reserved'])
  })

  test('leaves when its signal aborts, and those behind it go on', async () => {
    const account = new Account('call', { usd: 10n })
    const stop = new AbortController()
    const first = ask([account], usd(6))
    const stopped = ask([account], usd(8), stop.signal)
    const behind = ask([account], usd(2))
    await settleDown()
    stop.abort('stopped')
    await settleDown()
    expect([stopped.reason, behind.state]).toEqual(['stopped', 'reserved'])
    first.reservation?.settle(usd(6))
    behind.reservation?.settle(usd(2))
    expect(account.reserved).toEqual(noAmounts)
  })

  test('is refused at once when its signal has aborted before', async () => {
    const account = new Account('call', { usd: 10n })
    const asked = ask([account], usd(1), AbortSignal.abort('stopped'))
    await asked.ended
    expect([asked.reason, account.reserved]).toEqual(['stopped', noAmounts])
  })

  test('holds nothing meanwhile, not even where there is room', async () => {
    const [wide, narrow] = [new Account('batch', { usd: 100n }), new Account('call', { usd: 10n })]
    ask([narrow], usd(9))
    ask([wide, narrow], usd(9))
    await settleDown()
    expect(wide.reserved).toEqual(noAmounts)
  })
})

const script = fc.array(
  fc.record({
    accounts: fc.subarray([0, 1, 2], { minLength: 1 }),
    amount: fc.nat(40),
    taken: fc.option(fc.nat(40)),
    isStopped: fc.boolean(),
    pause: fc.boolean(),
  }),
  { maxLength: 30 },
)

test('whatever is asked, taken and stopped: no limit is passed at any moment, everybody hears, and nothing stays reserved', async () => {
  await fc.assert(
    fc.asyncProperty(script, fc.array(fc.nat(100), { minLength: 3, maxLength: 3 }), async (steps, limits) => {
      const accounts = limits.map((limit, index) => new Account(`${index}`, { usd: BigInt(limit) }))
      const check = () => {
        for (const [index, { spent, reserved }] of accounts.entries()) {
          expect(spent.usd + reserved.usd).toBeLessThanOrEqual(BigInt(limits[index] ?? 0))
          expect(reserved.usd).toBeGreaterThanOrEqual(0n)
        }
      }
      const asked = []
      for (const { accounts: chosen, amount, taken, isStopped, pause } of steps) {
        const stop = new AbortController()
        const request = ask(
          accounts.filter((_, index) => chosen.includes(index)),
          usd(amount),
          stop.signal,
        )
        const settled = request.ended.then(async () => {
          check()
          await settleDown()
          request.reservation?.settle(taken === null ? {} : usd(Math.min(taken, amount)))
          check()
        })
        if (pause) await settleDown()
        if (isStopped) stop.abort('stopped')
        asked.push(settled)
      }
      await Promise.all(asked)
      for (const { reserved } of accounts) expect(reserved).toEqual(noAmounts)
    }),
    { numRuns: 300 },
  )
})
