import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import type { Session } from '../../src/domain/session.ts'
import { type KeeperEvent, keepSessions } from '../../src/engine/session-keeper.ts'

const session = (id: string) => ({ id }) as Session

function openKeeper() {
  const saved: string[] = []
  const events: KeeperEvent[] = []
  const store = {
    state: 'up' as 'up' | 'down' | 'stuck' | 'refusing',
    async save({ id }: Session) {
      if (store.state === 'down') throw new LllmError('store-unavailable', 'The disk is full.')
      if (store.state === 'refusing') throw new LllmError('store-unavailable', 'No JSON.', { isPermanent: true })
      if (store.state === 'stuck') await new Promise(() => {})
      saved.push(id)
    },
  }
  const keeper = keepSessions(store, (event) => events.push(event))
  return { keeper, store, saved, types: () => events.map(({ type, sessionId }) => `${type} ${sessionId}`) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a session', () => {
  test('is saved before whoever waits for it goes on', async () => {
    const { keeper, saved, types } = openKeeper()
    await keeper.keep(session('one'))
    expect(saved).toEqual(['one'])
    expect(keeper.waitingCount).toBe(0)
    expect(types()).toEqual([])
  })

  test('that the store cannot take waits, and is saved as soon as the store is back', async () => {
    const { keeper, store, saved, types } = openKeeper()
    store.state = 'down'
    await keeper.keep(session('one'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(keeper.waitingCount).toBe(1)
    store.state = 'up'
    await vi.advanceTimersByTimeAsync(1_000)
    expect(saved).toEqual(['one'])
    expect(keeper.waitingCount).toBe(0)
    expect(types()).toEqual(['session.unsaved one', 'session.saved-late one'])
  })

  test('is not waited for longer than a bound when the store does not answer at all', async () => {
    const { keeper, store, types } = openKeeper()
    store.state = 'stuck'
    const kept = keeper.keep(session('one'))
    await vi.advanceTimersByTimeAsync(5_000)
    await kept
    expect(types()).toEqual(['session.unsaved one'])
  })

  test('that can never be stored is given up at once, so that nobody waits for the store in vain', async () => {
    const { keeper, store, types } = openKeeper()
    store.state = 'refusing'
    await keeper.keep(session('one'))
    expect(keeper.waitingCount).toBe(0)
    expect(types()).toEqual(['session.unsaved one', 'session.lost one'])
  })

  test('that has waited longest is given up when too many wait', async () => {
    const { keeper, store, types } = openKeeper()
    store.state = 'down'
    for (let count = 0; count <= 1_000; count++) await keeper.keep(session(`${count}`))
    expect(keeper.waitingCount).toBe(1_000)
    expect(types().filter((type) => type.startsWith('session.lost'))).toEqual(['session.lost 0'])
  })
})

describe('closing', () => {
  test('saves what waits', async () => {
    const { keeper, store, saved } = openKeeper()
    store.state = 'down'
    await keeper.keep(session('one'))
    store.state = 'up'
    await keeper.close()
    expect(saved).toEqual(['one'])
  })

  test('tells what is lost, and leaves no timer behind', async () => {
    const { keeper, store, types } = openKeeper()
    store.state = 'down'
    await keeper.keep(session('one'))
    await keeper.close()
    expect(types()).toEqual(['session.unsaved one', 'session.lost one'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('while sessions are being saved again saves none twice', async () => {
    const { keeper, store, saved } = openKeeper()
    store.state = 'down'
    await keeper.keep(session('one'))
    store.state = 'up'
    vi.advanceTimersByTime(1_000)
    await keeper.close()
    expect(saved).toEqual(['one'])
  })
})
