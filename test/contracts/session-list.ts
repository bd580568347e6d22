import { describe, expect, test } from 'vitest'
import type { SessionFilter, SessionPosition } from '../../src/domain/session-store.ts'
import { idsOf, type OpenStore, range } from '../support/session-stores.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'

export function sessionListContract(name: string, openStore: OpenStore) {
  describe(`${name}: listing`, () => {
    test('tells of a session what a list needs', async () => {
      const child = buildSession({ id: sessionId(2), tactic: 'research' })
      const session = buildSession({ subSessions: [child], calls: [{}, {}], tags: { team: 'red' }, state: 'failure' })
      const store = await openStore([session])
      expect(await store.list({}, 10)).toEqual({
        next: null,
        data: [
          {
            id: session.id,
            tactic: 'essay',
            tacticId: 'demo::essay',
            state: 'failure',
            startedAtMs: testStartMs,
            durationMs: 1_234,
            agentCalls: 2,
            subTacticCalls: 1,
            llmCalls: 3,
            cost: session.cost,
            tags: { team: 'red' },
          },
        ],
      })
    })

    test('holds everything that a filter says against each session', async () => {
      const sessions = [
        buildSession({ id: sessionId(1), startedAtMs: testStartMs, tags: { team: 'red', env: 'prod' } }),
        buildSession({ id: sessionId(2), startedAtMs: testStartMs + 1, tags: { team: 'red' }, state: 'failure' }),
        buildSession({ id: sessionId(3), startedAtMs: testStartMs + 2, tactic: 'review', tags: { team: 'blue' } }),
        buildSession({ id: sessionId(4), startedAtMs: testStartMs + 3, tactic: 'review', tacticId: 'other::review' }),
      ]
      const store = await openStore(sessions)
      const expectations: readonly (readonly [SessionFilter, readonly number[]])[] = [
        [{}, [4, 3, 2, 1]],
        [{ tactic: 'review' }, [4, 3]],
        [{ tactic: 'demo::review' }, [3]],
        [{ tactic: 'nobody' }, []],
        [{ state: 'failure' }, [2]],
        [{ tactic: 'essay', state: 'success' }, [1]],
        [{ tags: { team: 'red' } }, [2, 1]],
        [{ tags: { team: 'red', env: 'prod' } }, [1]],
        [{ tags: { team: 'red', env: 'test' } }, []],
        [{ tags: { team: 'red' }, state: 'failure', tactic: 'demo::essay' }, [2]],
        [{ startedAfterMs: testStartMs + 1 }, [4, 3, 2]],
        [{ startedBeforeMs: testStartMs + 1 }, [1]],
        [{ startedAfterMs: testStartMs + 1, startedBeforeMs: testStartMs + 3 }, [3, 2]],
        [{ startedAfterMs: testStartMs + 1, tags: { team: 'red' } }, [2]],
      ]
      for (const [filter, numbers] of expectations) {
        expect(await idsOf(store, filter), JSON.stringify(filter)).toEqual(numbers.map(sessionId))
        const { total } = await store.costs(filter, ['tactic'])
        expect(total.sessions, JSON.stringify(filter)).toBe(numbers.length)
      }
    })

    test.for([
      ['all sessions', {}],
      ['those with a tag', { tags: { team: 'red' } }],
      ['those of a tactic and state', { tactic: 'essay', state: 'success' }],
    ] as const)('pages through %s without a gap or a repeat while newer ones arrive', async ([, filter]) => {
      const tags = { team: 'red' }
      // Many start in the same millisecond, so that the id has to decide.
      const older = range(25).map((number) =>
        buildSession({ id: sessionId(number), startedAtMs: testStartMs + Math.floor(number / 10), tags }),
      )
      const store = await openStore(older)
      const seen: string[] = []
      let position: SessionPosition | undefined
      for (let page = 0; page < 10; page++) {
        const { data, next } = await store.list(filter, 4, position)
        seen.push(...data.map(({ id }) => id))
        await store.save(buildSession({ id: sessionId(1_000 + page), startedAtMs: testStartMs + 9_000 + page, tags }))
        if (next === null) break
        position = next
      }
      expect(seen).toEqual(older.map(({ id }) => id).toReversed())
    })

    test('finds ids by how they begin', async () => {
      const ids = ['01931f00-aa', '01931f00-ab', '01931f01-aa']
      const store = await openStore(ids.map((id) => buildSession({ id })))
      expect(await store.findIds('01931f00', 10)).toEqual(ids.slice(0, 2))
      expect(await store.findIds('01931f00', 1)).toEqual(ids.slice(0, 1))
      expect(await store.findIds('', 10)).toEqual(ids)
      expect(await store.findIds('01931f01-aa', 10)).toEqual(ids.slice(2))
      for (const unfit of ['1931f00', '01931f00-aa0', '%', "' or 1=1 --"]) {
        expect(await store.findIds(unfit, 10)).toEqual([])
      }
    })

    test('says that there is no next page when the last one is full', async () => {
      const store = await openStore(range(4).map((number) => buildSession({ id: sessionId(number) })))
      expect((await store.list({}, 4)).next).toBeNull()
      const { data, next } = await store.list({}, 3)
      expect(data).toHaveLength(3)
      expect(next).toEqual({ startedAtMs: testStartMs, id: sessionId(1) })
    })
  })
}
