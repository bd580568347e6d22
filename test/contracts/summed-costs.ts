import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/domain/session.ts'
import type { CostGroup, SessionFilter } from '../../src/domain/session-store.ts'
import { defaultTenant } from '../../src/domain/tenant.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { wildSession } from '../support/session-arbitraries.ts'
import type { OpenStore } from '../support/session-stores.ts'
import { buildSession, sessionId } from '../support/sessions.ts'

const hourMs = 3_600_000
const dayMs = 86_400_000
/** Days that are long over, whatever the clock says. */
const pastMs = Date.UTC(2021, 1, 27)

/** Hours and days of the past may be summed once and for all, which nobody may ever notice. */
export function summedCostsContract(name: string, openStore: OpenStore) {
  describe(`${name}: costs of the past`, () => {
    test('are those of what is there now, after a session of a day that was reported came, changed, and went', async () => {
      const store = await openStore([buildSession({ startedAtMs: pastMs })])
      const callsOf = async (filter: SessionFilter = {}) => {
        const { data, total } = await store.costs(filter, ['day', 'agent'])
        return [...data.map(({ keys, llmCalls, sessions }) => [...keys, llmCalls, sessions]), total.sessions]
      }
      expect(await callsOf()).toEqual([['2021-02-27', 'writer', 1, 1], 1])
      const late = buildSession({
        id: sessionId(2),
        startedAtMs: pastMs + 5 * hourMs,
        calls: [{}, { agent: 'critic' }],
      })
      await store.save(late)
      const both = [['2021-02-27', 'critic', 1, 1], ['2021-02-27', 'writer', 2, 2], 2]
      expect(await callsOf()).toEqual(both)
      await store.save({ ...late, startedAtMs: pastMs + dayMs })
      expect(await callsOf()).toEqual([
        ['2021-02-27', 'writer', 1, 1],
        ['2021-02-28', 'critic', 1, 1],
        ['2021-02-28', 'writer', 1, 1],
        2,
      ])
      expect(await callsOf({ startedBeforeMs: pastMs + dayMs })).toEqual([['2021-02-27', 'writer', 1, 1], 1])
      await store.delete(late.id)
      expect(await callsOf()).toEqual([['2021-02-27', 'writer', 1, 1], 1])
    })

    test('whatever is saved, replaced, deleted and reported meanwhile, are the same as if nothing was ever summed', async () => {
      const store = await openStore()
      const plain = createMemorySessionStore()
      await fc.assert(
        fc.asyncProperty(fc.array(wildStep, { minLength: 4, maxLength: 12 }), async (steps) => {
          for (const step of steps) {
            if (step.kind === 'save') {
              await Promise.all([store.save(step.session), plain.save(step.session)])
              continue
            }
            const [mine, theirs] = [store.of(step.tenant), plain.of(step.tenant)]
            if (step.kind === 'delete') await Promise.all([mine.delete(step.id), theirs.delete(step.id)])
            else
              expect(await mine.costs(step.filter, step.groups)).toEqual(await theirs.costs(step.filter, step.groups))
          }
        }),
        { numRuns: Number(process.env['LLLM_TEST_RUNS'] ?? 6) },
      )
      expect(await store.costs({}, ['agent'])).toEqual(await plain.costs({}, ['agent']))
    })
  })
}

const wildTenant = fc.constantFrom(defaultTenant, 'other')
const wildId = fc.nat({ max: 30 }).map(sessionId)

/** Mostly in three days of the past, and some in the last hours; on the edge of an hour or a day more often than chance would have it. */
const wildTimeMs = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 3 * dayMs }).map((offsetMs) => pastMs + offsetMs) },
  { weight: 2, arbitrary: fc.nat({ max: 72 }).map((hours) => pastMs + hours * hourMs) },
  { weight: 1, arbitrary: fc.nat({ max: 3 }).map((days) => pastMs + days * dayMs) },
  { weight: 1, arbitrary: fc.nat({ max: 4 * hourMs }).map((agoMs) => Date.now() - agoMs) },
)

const wildSave = fc
  .tuple(wildSession, wildTenant, wildId, wildTimeMs, fc.constantFrom<Session['state']>('success', 'failure'))
  .map(
    ([session, tenant, id, startedAtMs, state]) =>
      ({ kind: 'save', session: { ...session, tenant, id, startedAtMs, state } }) as const,
  )

const wildDelete = fc.tuple(wildTenant, wildId).map(([tenant, id]) => ({ kind: 'delete', tenant, id }) as const)

const wildReport = fc
  .record({
    tenant: wildTenant,
    filter: fc.record(
      {
        startedAfterMs: wildTimeMs,
        startedBeforeMs: wildTimeMs,
        tactic: fc.constantFrom('essay', 'demo::review'),
        state: fc.constantFrom<Session['state']>('success', 'failure'),
        tags: fc.constantFrom({}, { team: '' }),
      },
      { requiredKeys: [] },
    ),
    groups: fc.uniqueArray(fc.constantFrom<CostGroup>('tactic', 'tactic_id', 'agent', 'model', 'day', 'tag.team'), {
      maxLength: 5,
    }),
  })
  .map((report) => ({ kind: 'report', ...report }) as const)

const wildStep = fc.oneof(
  { weight: 3, arbitrary: wildSave },
  { weight: 1, arbitrary: wildDelete },
  { weight: 4, arbitrary: wildReport },
)
