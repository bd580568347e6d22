import { describe, expect, test } from 'vitest'
import { costLines } from '../../src/domain/cost-report.ts'
import type { Session } from '../../src/domain/session.ts'
import { toSessionRecord } from '../../src/domain/session-record.ts'
import { idsOf, type OpenStore, range } from '../support/session-stores.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'

export function sessionKeepingContract(name: string, openStore: OpenStore) {
  describe(`${name}: keeping sessions`, () => {
    test('gives back the whole record of a saved session', async () => {
      const child = buildSession({ id: sessionId(2), tactic: 'research', calls: [{ agent: 'finder' }] })
      const session = buildSession({ subSessions: [child], tags: { team: 'red' }, metadata: { ticket: 7 } })
      const store = await openStore([session])
      expect(await store.get(session.id)).toEqual(toSessionRecord(session))
    })

    test('knows nothing of an id that was never saved, and nothing of a sub-session by itself', async () => {
      const child = buildSession({ id: sessionId(2) })
      const store = await openStore([buildSession({ subSessions: [child] })])
      for (const id of [child.id, 'nobody', '', "' or 1=1 --"]) {
        expect(await store.get(id)).toBeUndefined()
        expect(await store.costOf(id)).toBeUndefined()
        expect(await store.delete(id)).toBe(false)
      }
    })

    test('replaces a session that is saved again, with its tags, lines and start', async () => {
      const store = await openStore([buildSession({ tags: { team: 'red' }, calls: [{}, { agent: 'editor' }] })])
      const again = buildSession({ tags: { env: 'prod' }, startedAtMs: testStartMs + 5, calls: [{ model: 'gpt-4o' }] })
      await store.save(again)
      expect(await store.get(again.id)).toEqual(toSessionRecord(again))
      expect(await store.costOf(again.id)).toEqual(costLines(again))
      expect(await idsOf(store, {})).toEqual([again.id])
      expect(await idsOf(store, { tags: { team: 'red' } })).toEqual([])
      expect((await store.costs({}, [])).total).toMatchObject({ sessions: 1, llmCalls: 1 })
    })

    test('keeps the last of several saves of one id that are under way at once', async () => {
      const store = await openStore()
      const versions = ['first', 'second', 'third'].map((result) => buildSession({ result }))
      await Promise.all(versions.map((session) => store.save(session)))
      expect((await store.get(sessionId(1)))?.result).toBe('third')
      expect((await store.costs({}, [])).total.llmCalls).toBe(1)
    })

    test('keeps every session of many that are saved at once', async () => {
      const sessions = range(300).map((number) => buildSession({ id: sessionId(number), task: `task ${number}` }))
      const store = await openStore(sessions)
      const records = await Promise.all(sessions.map(({ id }) => store.get(id)))
      expect(records.map((record) => record?.task)).toEqual(sessions.map(({ task }) => task))
    })

    test('forgets a deleted session, its costs and its tags, and leaves the others', async () => {
      const tags = { team: 'red' }
      const store = await openStore([buildSession({ tags }), buildSession({ id: sessionId(2), tags })])
      expect(await store.delete(sessionId(1))).toBe(true)
      expect(await store.delete(sessionId(1))).toBe(false)
      expect(await store.get(sessionId(1))).toBeUndefined()
      expect(await store.costOf(sessionId(1))).toBeUndefined()
      expect(await idsOf(store, { tags })).toEqual([sessionId(2)])
      expect((await store.costs({}, ['tag.team'])).total).toMatchObject({ sessions: 1, llmCalls: 1 })
    })

    test.for([
      ['lone surrogates', 'high \ud83d and low \udc1d alone'],
      ['NUL', 'before\u0000after'],
      ['emoji and combining marks', '🐝👩‍🚀 e\u0301 \u2028'],
      ['quotes, backslashes and escapes', '"\\u0000" \\ \' \n\t %_'],
      ['a text of 1 MB', 'Bees. '.repeat(175_000)],
    ] as const)('brings back %s unchanged, wherever they stand', async ([, text]) => {
      const short = text.slice(0, 200)
      const session = buildSession({
        task: { text },
        result: text,
        tactic: short,
        tacticId: `demo::${short}`,
        tags: { [short]: short },
        metadata: { [short]: text },
        calls: [{ agent: short, model: short, text }],
      })
      const store = await openStore([session])
      expect(await store.get(session.id)).toEqual(toSessionRecord(session))
      expect(await store.costOf(session.id)).toEqual(costLines(session))
      expect((await store.list({ tactic: short, tags: { [short]: short } }, 10)).data[0]?.tags).toEqual(session.tags)
      const report = await store.costs({ tactic: `demo::${short}` }, ['tactic', 'agent', 'model', `tag.${short}`])
      expect(report.data.map(({ keys }) => keys)).toEqual([[short, short, short, short]])
    })

    test('takes tags that are named like parts of a prototype as any other tag', async () => {
      const tags = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c","tag.x":"d"}') as Session['tags']
      const store = await openStore([buildSession({ tags }), buildSession({ id: sessionId(2), tags: {} })])
      const [summary] = (await store.list({ tags }, 10)).data
      expect(Object.entries(summary?.tags ?? {})).toEqual(Object.entries(tags))
      expect((await store.get(sessionId(1)))?.tags).toEqual(tags)
      for (const [key, value] of Object.entries(tags)) {
        const { data } = await store.costs({}, [`tag.${key}`])
        expect(data.map(({ keys }) => keys)).toEqual([[value], [null]])
      }
    })
  })
}
