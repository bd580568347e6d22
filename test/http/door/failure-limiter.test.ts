import { describe, expect, test } from 'vitest'
import { LllmError } from '../../../src/domain/errors.ts'
import { createFailureLimiter, failuresAtOnceMax, failuresPerSecond } from '../../../src/http/door/failure-limiter.ts'
import { settle, virtualClock } from '../../support/virtual-clock.ts'

const refusal = new LllmError('unauthenticated', 'It is nobody’s.')
const limited = 'rate-limited'

/** A limiter, and lookups that a test ends by hand or lets end by themselves: what begins with `good` is somebody's. */
function open() {
  const { clock, advance } = virtualClock()
  const limiter = createFailureLimiter(clock)
  const asked: string[] = []
  const held: (() => void)[] = []
  const state = { isHeld: false, isAway: false, isRevoked: false }

  async function lookUp(credential: string): Promise<string> {
    asked.push(credential)
    if (state.isHeld) await new Promise<void>((resolve) => held.push(resolve))
    if (state.isAway) throw new LllmError('store-unavailable', 'It is away.')
    if (state.isRevoked || !credential.startsWith('good')) throw refusal
    return credential
  }
  /** As whoever knows callers has them: those that were good before. */
  const atHand = new Set<string>()
  const guard = async (credential: string, ip = '192.0.2.1') => {
    const from = { ip, raw: {} as never }
    const judge = () => lookUp(credential)
    const found = await (atHand.delete(credential)
      ? limiter.count(from, judge)
      : limiter.guard(from, credential, judge))
    atHand.add(credential)
    return found
  }
  /** `ok`, or the code of the refusal. */
  const show = (credential: string, address?: string) =>
    guard(credential, address).then(
      () => 'ok',
      (error: LllmError) => error.code,
    )
  /** What comes of all of these, shown at once, while time passes. */
  const showAll = async (credentials: readonly string[], durationMs: number) => {
    const outcomes = credentials.map((credential) => show(credential))
    await advance(durationMs)
    return Promise.all(outcomes)
  }
  return {
    guard,
    show,
    showAll,
    asked,
    state,
    advance,
    release: () => {
      for (const end of held.splice(0)) end()
    },
  }
}

const bad = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `bad${from + index}`)
const tally = (outcomes: readonly string[]) =>
  Object.fromEntries([...Map.groupBy(outcomes, (outcome) => outcome)].map(([outcome, all]) => [outcome, all.length]))

/** Uses up what an address has. */
async function fail({ show }: ReturnType<typeof open>, address?: string) {
  for (const key of bad(failuresAtOnceMax)) expect(await show(key, address)).toBe('unauthenticated')
}

/** Has as many wait for their turn as there may be. */
async function fill({ show }: ReturnType<typeof open>) {
  const waiting = bad(failuresPerSecond, 1_000).map((key) => show(key))
  await settle()
  return waiting
}

describe('an address that shows keys that are nobody’s', () => {
  test('has so many looked up at once, and so many each second after that', async () => {
    const limiter = open()
    await fail(limiter)
    for (let second = 0; second < 3; second++) {
      const next = await limiter.showAll(bad(50, 100 * second), 1_000)
      expect(tally(next)).toEqual({ unauthenticated: failuresPerSecond, [limited]: 50 - failuresPerSecond })
    }
    await limiter.advance(60_000)
    await fail(limiter)
    await fill(limiter)
    expect(await limiter.show('bad')).toBe(limited)
  })

  test('has no more of them looked up where they come all at once', async () => {
    const { show, asked, state, advance, release } = open()
    state.isHeld = true
    const shown = bad(150).map((key) => show(key))
    await settle()
    expect(asked).toHaveLength(failuresAtOnceMax)
    state.isHeld = false
    release()
    await advance(1_000)
    const lookedUp = failuresAtOnceMax + failuresPerSecond
    expect(tally(await Promise.all(shown))).toEqual({ unauthenticated: lookedUp, [limited]: 150 - lookedUp })
    expect(asked).toHaveLength(lookedUp)
  })

  test('is told when to come back', async () => {
    const limiter = open()
    await fail(limiter)
    await fill(limiter)
    await expect(limiter.guard('bad')).rejects.toMatchObject({ code: limited, data: { retryAfterMs: 1_000 } })
  })

  test('holds up no other address', async () => {
    const limiter = open()
    await fail(limiter)
    expect(await limiter.show('bad', '192.0.2.2')).toBe('unauthenticated')
    expect(await limiter.show('good', '192.0.2.2')).toBe('ok')
  })

  test('does not lock out who has a good key there: known ones at no time, new ones until it is their turn', async () => {
    const limiter = open()
    const { show, showAll } = limiter
    expect(await show('good of old')).toBe('ok')
    await fail(limiter)
    for (let count = 0; count < 100; count++) expect(await show('good of old')).toBe('ok')
    expect(await showAll(['good and new'], 200)).toEqual(['ok'])
    // However long somebody goes on with four bad ones a second.
    for (let second = 0; second < 100; second++) {
      const keys = [...bad(4, second * 4), `good and new ${second}`]
      expect(tally(await showAll(keys, 1_000))).toEqual({ unauthenticated: 4, ok: 1 })
    }
  })
})

describe('keys for which nothing has to be looked up', () => {
  test('never wait where they are good; those that are nobody’s count, and are told so', async () => {
    const { clock } = virtualClock()
    const { count } = createFailureLimiter(clock)
    const from = { ip: '192.0.2.1', raw: {} as never }
    const wrong = () => count(from, () => Promise.reject(refusal)).catch((error: LllmError) => error.code)
    const codes = []
    for (let index = 0; index < failuresAtOnceMax + 3; index++) codes.push(await wrong())
    expect(tally(codes)).toEqual({ unauthenticated: failuresAtOnceMax, [limited]: 3 })
    for (let index = 0; index < 100; index++) expect(await count(from, async () => 'good')).toBe('good')
  })
})

describe('keys that are good', () => {
  test('use nothing up, however many there are', async () => {
    const limiter = open()
    for (let count = 0; count < 100; count++) expect(await limiter.show(`good${count}`)).toBe('ok')
    await fail(limiter)
  })

  test('are all let in where many that are new come at once', async () => {
    const { show, asked, state, release } = open()
    state.isHeld = true
    const shown = Array.from({ length: 100 }, (_, index) => show(`good${index}`))
    while (asked.length < 100) {
      await settle()
      release()
    }
    expect(tally(await Promise.all(shown))).toEqual({ ok: 100 })
  })

  test('are looked up once for all requests that bring the same one meanwhile', async () => {
    const { show, asked, state, release } = open()
    state.isHeld = true
    const shown = Array.from({ length: 500 }, () => show('good'))
    await settle()
    release()
    expect(tally(await Promise.all(shown))).toEqual({ ok: 500 })
    expect(asked).toEqual(['good'])
  })

  test('that are so no more are as others from then on', async () => {
    const limiter = open()
    expect(await limiter.show('good')).toBe('ok')
    limiter.state.isRevoked = true
    expect(await limiter.show('good')).toBe('unauthenticated')
    await limiter.advance(1_000)
    await fail(limiter)
    await fill(limiter)
    expect(await limiter.show('good')).toBe(limited)
  })
})

test('an outage of what keys are looked up in is nobody’s failure', async () => {
  const limiter = open()
  limiter.state.isAway = true
  for (const key of bad(100)) expect(await limiter.show(key)).toBe('store-unavailable')
  limiter.state.isAway = false
  await fail(limiter)
})

test('a clock that is set back holds nobody up for longer', async () => {
  let nowMs = 3_600_000
  const limiter = createFailureLimiter({ now: () => nowMs, sleep: async () => {} })
  const show = (key: string) => limiter.guard({ ip: '192.0.2.1', raw: {} as never }, key, () => Promise.reject(refusal))
  const tried = async (count: number) => {
    const outcomes = await Promise.allSettled(bad(count).map(show))
    return outcomes.filter(
      ({ status, ...outcome }) => status === 'rejected' && 'reason' in outcome && outcome.reason === refusal,
    ).length
  }
  const atOnce = failuresAtOnceMax + failuresPerSecond
  expect(await tried(50)).toBe(atOnce)
  nowMs = 0
  expect(await tried(50)).toBe(0)
  nowMs = 1_000
  expect(await tried(50)).toBe(failuresPerSecond)
})
