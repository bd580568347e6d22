import { describe, expect, test } from 'vitest'
import type { OpenStore } from '../support/session-stores.ts'
import { idsOf } from '../support/session-stores.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

/** What belongs to one tenant is not there for another. */
export function sessionTenantsContract(name: string, openStore: OpenStore) {
  describe(`${name}: whose sessions`, () => {
    const mine = { ...buildSession({ id: sessionId(1), tags: { team: 'red' } }), tenant: 'acme' }
    const theirs = { ...buildSession({ id: sessionId(2), tags: { team: 'red' } }), tenant: 'globex' }
    const nobodys = buildSession({ id: sessionId(3), tags: { team: 'red' } })

    test('shows each tenant its own in every list, and nobody another one’s', async () => {
      const store = await openStore([mine, theirs, nobodys])
      for (const filter of [{}, { tags: { team: 'red' } }, { tactic: mine.tactic }, { state: mine.state }]) {
        expect(await idsOf(store.of('acme'), filter)).toEqual([sessionId(1)])
        expect(await idsOf(store.of('globex'), filter)).toEqual([sessionId(2)])
        expect(await idsOf(store.of('nobody'), filter)).toEqual([])
        expect(await idsOf(store, filter)).toEqual([sessionId(3)])
      }
      expect(await store.of('acme').findIds('', 10)).toEqual([sessionId(1)])
    })

    test('finds no session by its id for anybody else, and deletes none', async () => {
      const store = await openStore([mine, theirs])
      const acme = store.of('acme')
      expect(await acme.get(sessionId(1))).toMatchObject({ id: sessionId(1) })
      expect(await acme.get(sessionId(2))).toBeUndefined()
      expect(await store.get(sessionId(2))).toBeUndefined()
      expect(await acme.costOf(sessionId(2))).toBeUndefined()
      expect(await acme.delete(sessionId(2))).toBe(false)
      expect(await store.of('globex').costOf(sessionId(2))).toBeDefined()
      expect(await acme.delete(sessionId(1))).toBe(true)
    })

    test('sums up what each tenant spent', async () => {
      const store = await openStore([mine, theirs, nobodys])
      for (const sessions of [store.of('acme'), store.of('globex'), store]) {
        const { total, data } = await sessions.costs({}, ['tag.team'])
        expect(total.sessions).toBe(1)
        expect(data.map(({ keys }) => keys)).toEqual([['red']])
      }
      expect((await store.of('nobody').costs({}, [])).total.sessions).toBe(0)
    })
  })
}
