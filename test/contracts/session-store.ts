import { afterEach, describe, expect, test } from 'vitest'
import type { Session } from '../../src/domain/session.ts'
import type { SessionStore } from '../../src/domain/session-store.ts'
import { idsOf, type OpenStore, range } from '../support/session-stores.ts'
import { buildSession, sessionId } from '../support/sessions.ts'
import { sessionCostsContract } from './session-costs.ts'
import { sessionKeepingContract } from './session-keeping.ts'
import { sessionListContract } from './session-list.ts'
import { summedCostsContract } from './summed-costs.ts'
import { sessionTenantsContract } from './tenants.ts'

/** What every session store keeps to, whatever it is made of. `open` gives a new and empty one each time. */
export function sessionStoreContract(name: string, open: () => Promise<SessionStore>) {
  const opened: SessionStore[] = []

  async function openStore(sessions: readonly Session[] = []): Promise<SessionStore> {
    const store = await open()
    opened.push(store)
    await Promise.all(sessions.map((session) => store.save(session)))
    return store
  }

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()))
  })

  sessionKeepingContract(name, openStore)
  sessionListContract(name, openStore)
  sessionCostsContract(name, openStore)
  sessionTenantsContract(name, openStore)
  summedCostsContract(name, openStore)
  sessionLifeContract(name, openStore)
}

function sessionLifeContract(name: string, openStore: OpenStore) {
  describe(`${name}: its life`, () => {
    test('answers a ping while it is open', async () => {
      const store = await openStore()
      await expect(store.ping()).resolves.toBeUndefined()
    })

    test('finishes what it accepted when it is closed, may be closed twice, and refuses everything afterwards', async () => {
      const store = await openStore()
      const saves = range(20).map((number) => store.save(buildSession({ id: sessionId(number) })))
      await Promise.all([store.close(), store.close(), ...saves])
      await store.close()
      const unavailable = expect.objectContaining({ code: 'store-unavailable' })
      await expect(store.save(buildSession())).rejects.toEqual(unavailable)
      await expect(store.get(sessionId(1))).rejects.toEqual(unavailable)
      await expect(store.list({}, 1)).rejects.toEqual(unavailable)
      await expect(store.costs({}, [])).rejects.toEqual(unavailable)
      await expect(store.costOf(sessionId(1))).rejects.toEqual(unavailable)
      await expect(store.delete(sessionId(1))).rejects.toEqual(unavailable)
      await expect(store.ping()).rejects.toEqual(unavailable)
    })

    test('refuses a session that JSON cannot carry, and saves its neighbours', async () => {
      const store = await openStore()
      const bad = store.save(buildSession({ result: { count: 1n } }))
      const good = store.save(buildSession({ id: sessionId(2) }))
      await expect(bad).rejects.toMatchObject({ code: 'store-unavailable' })
      await good
      expect(await idsOf(store, {})).toEqual([sessionId(2)])
    })
  })
}
