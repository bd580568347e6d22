import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addCosts, type Cost } from '../../src/domain/cost.ts'
import { costLines } from '../../src/domain/cost-report.ts'
import { countLlmCalls, type Session } from '../../src/domain/session.ts'
import type { CostGroup } from '../../src/domain/session-store.ts'
import { wildSession } from '../support/session-arbitraries.ts'
import { type OpenStore, range } from '../support/session-stores.ts'
import { buildSession, sessionId, testStartMs } from '../support/sessions.ts'

const dayMs = 86_400_000

export function sessionCostsContract(name: string, openStore: OpenStore) {
  describe(`${name}: costs`, () => {
    test('adds up by the tactic that spent, by agent, model, UTC day and tag', async () => {
      const child = buildSession({
        id: sessionId(9),
        tactic: 'research',
        calls: [{ agent: 'finder', model: 'gpt-4o' }],
      })
      const store = await openStore([
        buildSession({
          tags: { team: 'red' },
          calls: [{ agent: 'writer' }, { agent: 'editor' }],
          subSessions: [child],
        }),
        buildSession({ id: sessionId(2), tags: { team: 'blue' }, startedAtMs: testStartMs + dayMs }),
        buildSession({ id: sessionId(3), calls: [] }),
        buildSession({ id: sessionId(4), startedAtMs: Date.UTC(2026, 10, 22, 23, 59, 59, 999) }),
      ])
      const callsBy = async (...groups: readonly CostGroup[]) => {
        const { data, total } = await store.costs({}, groups)
        expect(total).toMatchObject({ sessions: 4, llmCalls: 5, promptPicoUsd: 75_000_000n, totalTokens: 600 })
        return data.map(({ keys, llmCalls, sessions }) => [...keys, llmCalls, sessions])
      }
      expect(await callsBy('tactic')).toEqual([
        ['essay', 4, 3],
        ['research', 1, 1],
      ])
      expect(await callsBy('agent')).toEqual([
        ['editor', 1, 1],
        ['finder', 1, 1],
        ['writer', 3, 3],
      ])
      expect(await callsBy('model')).toEqual([
        ['gpt-4o', 1, 1],
        ['gpt-4o-mini', 4, 3],
      ])
      expect(await callsBy('day')).toEqual([
        ['2026-11-22', 4, 2],
        ['2026-11-23', 1, 1],
      ])
      expect(await callsBy('tag.team')).toEqual([
        ['blue', 1, 1],
        ['red', 3, 1],
        [null, 1, 1],
      ])
      expect(await callsBy('tag.none')).toEqual([[null, 5, 3]])
      expect(await callsBy('tag.team', 'model')).toEqual([
        ['blue', 'gpt-4o-mini', 1, 1],
        ['red', 'gpt-4o', 1, 1],
        ['red', 'gpt-4o-mini', 2, 1],
        [null, 'gpt-4o-mini', 1, 1],
      ])
      expect(await callsBy()).toEqual([[5, 3]])
    })

    test('filters by the tactic of the root, and groups by the tactic that spent', async () => {
      const child = buildSession({ id: sessionId(9), tactic: 'research' })
      const store = await openStore([
        buildSession({ subSessions: [child] }),
        buildSession({ id: sessionId(2), tactic: 'research' }),
      ])
      const { data } = await store.costs({ tactic: 'essay' }, ['tactic'])
      expect(data.map(({ keys, llmCalls }) => [...keys, llmCalls])).toEqual([
        ['essay', 1],
        ['research', 1],
      ])
    })

    test('says nothing was spent where there is nothing', async () => {
      const store = await openStore()
      for (const groups of [[], ['tactic'], ['day', 'tag.team']] satisfies CostGroup[][]) {
        const { data, total } = await store.costs({}, groups)
        expect(data).toEqual([])
        expect(total).toMatchObject({ sessions: 0, llmCalls: 0, promptPicoUsd: 0n, unpricedCalls: 0 })
      }
    })

    test('counts what could not be priced, and never as free', async () => {
      const store = await openStore([buildSession({ calls: [{ price: null }, {}] })])
      const { total } = await store.costs({}, ['agent'])
      expect(total).toMatchObject({ llmCalls: 2, pricedCalls: 1, unpricedCalls: 1, completionPicoUsd: 12_000_000n })
    })

    test('adds money exactly, far beyond what a number or 64 bits hold', async () => {
      // 2,000 sessions of $9,007.199254740991 each: 1.8e19 pico-USD, where 64 bits end at 9.2e18.
      const price = { promptPicoUsd: Number.MAX_SAFE_INTEGER, completionPicoUsd: 1 }
      const store = await openStore(
        range(2_000).map((number) => buildSession({ id: sessionId(number), calls: [{ price }] })),
      )
      const { data, total } = await store.costs({}, ['day'])
      expect(total.promptPicoUsd).toBe(BigInt(Number.MAX_SAFE_INTEGER) * 2_000n)
      expect(total.completionPicoUsd).toBe(2_000n)
      expect(data[0]?.promptPicoUsd).toBe(total.promptPicoUsd)
    })

    test('gives the lines of one session in order of first use', async () => {
      const child = buildSession({ id: sessionId(2), tactic: 'a-child', calls: [{ agent: 'finder' }] })
      const session = buildSession({
        calls: [{ agent: 'writer' }, { agent: 'editor' }, { agent: 'writer' }],
        subSessions: [child],
      })
      const store = await openStore([session, buildSession({ id: sessionId(3), calls: [] })])
      const lines = await store.costOf(session.id)
      expect(lines).toEqual(costLines(session))
      expect(lines?.map(({ agent, llmCalls }) => [agent, llmCalls])).toEqual([
        ['writer', 2],
        ['editor', 1],
        ['finder', 1],
      ])
      expect(await store.costOf(sessionId(3))).toEqual([])
    })

    test('whatever the sessions and the grouping, groups, total, lines and model calls are one sum', async () => {
      const store = await openStore()
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(wildSession, { maxLength: 6 }), wildGroups, async (wild, groups) => {
          run += 1
          const tags = { run: String(run) }
          const sessions = wild.map((session, index) => ({
            ...session,
            id: sessionId(run * 100 + index),
            tags: { ...session.tags, ...tags },
          }))
          await Promise.all(sessions.map((session) => store.save(session)))
          const { data, total } = await store.costs({ tags }, groups)
          expect(data.map(({ keys }) => JSON.stringify(keys))).toHaveLength(
            new Set(data.map(({ keys }) => JSON.stringify(keys))).size,
          )
          for (const name of costNames) {
            const leaves = sessions.flatMap(allCosts).reduce((sum, cost) => sum + BigInt(cost[name]), 0n)
            expect(BigInt(total[name]), name).toBe(leaves)
            expect(
              data.reduce((sum, group) => sum + BigInt(group[name]), 0n),
              name,
            ).toBe(leaves)
          }
          expect(total.sessions).toBe(sessions.length)
          expect(total.llmCalls).toBe(sessions.reduce((sum, session) => sum + countLlmCalls(session), 0))
          for (const session of sessions) {
            const lines = await store.costOf(session.id)
            expect(addCosts(lines?.map(({ cost }) => cost) ?? [])).toEqual(session.cost)
          }
        }),
        { numRuns: name === 'memory' ? 40 : 15 },
      )
    })
  })
}

const wildGroups = fc.array(
  fc.constantFrom<CostGroup>('tactic', 'tactic_id', 'agent', 'model', 'day', 'tag.team', 'tag.__proto__', 'tag.none'),
  { maxLength: 4 },
)

const costNames = [
  'promptTokens',
  'cachedPromptTokens',
  'completionTokens',
  'reasoningTokens',
  'totalTokens',
  'promptPicoUsd',
  'completionPicoUsd',
  'pricedCalls',
  'unpricedCalls',
] as const satisfies readonly (keyof Cost)[]

function allCosts(session: Session): readonly Cost[] {
  const own = session.agentCalls.flatMap(({ llmCalls }) => llmCalls.map(({ cost }) => cost))
  return [...own, ...session.subSessions.flatMap(allCosts)]
}
