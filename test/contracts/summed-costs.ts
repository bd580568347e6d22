import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Session } from '../../src/domain/session.ts'
import type { CostGroup, SessionFilter } from '../../src/domain/session-store.ts'
import { defaultTenant } from '../../src/domain/tenant.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { wildSession } from '../support/session-arbitraries.ts'
import { type OpenStore, range } from '../support/session-stores.ts'
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

    test('by a tag are the same when asked again, also of a tag with as many values as sessions, and of very many tags', async () => {
      const tags = Object.fromEntries(range(40).map((number) => [`tag-${number}`, 'same']))
      // Each half of a day has an hour with very many values of a tag, and others with few.
      const sessions = range(200).map((number) =>
        buildSession({
          id: sessionId(number),
          startedAtMs: pastMs + (number % 3) * (dayMs / 2) + (number < 120 ? 0 : (number % 5) * hourMs) + number,
          state: number % 7 === 0 ? 'failure' : 'success',
          tags: { run: `${number}`, ...(number % 2 === 0 ? tags : {}) },
          calls: number % 11 === 0 ? [] : [{}, { agent: 'critic' }],
        }),
      )
      const [store, plain] = [await openStore(sessions), createMemorySessionStore()]
      await Promise.all(sessions.map((session) => plain.save(session)))
      const time = { startedBeforeMs: pastMs + 3 * dayMs }
      const tagged = (key: string) => ({ ...time, tags: { [key]: key === 'run' ? '70' : 'same' } })
      const compare = async (filters: readonly SessionFilter[], ...groups: readonly CostGroup[]) => {
        for (const filter of filters)
          expect(await store.costs(filter, groups)).toEqual(await plain.costs(filter, groups))
      }
      for (const key of ['run', ...Object.keys(tags), 'run', 'tag-0', 'tag-39']) {
        await compare([time, tagged(key)], `tag.${key}`, 'agent')
      }
      // Of one whose values are summed, one of which everything is, and one that is read.
      for (const key of ['run', 'tag-0', 'tag-39']) {
        const filters = [time, tagged(key), { ...time, state: 'failure' }, { ...time, tactic: 'essay' }] as const
        await compare(filters, `tag.${key}`)
        await compare(filters, `tag.${key}`, 'day')
        await compare(filters, 'day')
      }
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

/** Few enough that sessions have them in common, and none that a database takes as it is. */
const wildValue = fc.constantFrom('', 'red', '\u0000', '\ud800', '\\u0000')

const wildSave = fc
  .tuple(
    wildSession,
    fc.record({ team: wildValue, env: wildValue }, { requiredKeys: [] }),
    fc.record({
      tenant: wildTenant,
      id: wildId,
      startedAtMs: wildTimeMs,
      state: fc.constantFrom<Session['state']>('success', 'failure'),
    }),
  )
  .map(([session, tags, rest]) => {
    const { team, env, ...others } = session.tags
    return { kind: 'save', session: { ...session, ...rest, tags: { ...others, ...tags } } } as const
  })

const wildDelete = fc.tuple(wildTenant, wildId).map(([tenant, id]) => ({ kind: 'delete', tenant, id }) as const)

/** Mostly of one tag, by which costs are summed, and now and then of two. */
const wildTags = fc.oneof(
  { weight: 4, arbitrary: wildValue.map((team) => ({ team })) },
  { weight: 1, arbitrary: wildValue.map((env) => ({ env })) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ team: wildValue, env: wildValue }) },
)

const columnGroups = ['tactic', 'tactic_id', 'agent', 'model', 'day'] as const
const groupsOf = (...tags: readonly CostGroup[]) =>
  fc.uniqueArray(fc.constantFrom<CostGroup>(...columnGroups, ...tags), { maxLength: 6 })

const wildGroups = fc.oneof(
  { weight: 4, arbitrary: groupsOf('tag.team') },
  { weight: 1, arbitrary: groupsOf('tag.env') },
  { weight: 1, arbitrary: groupsOf('tag.__proto__') },
  { weight: 1, arbitrary: groupsOf('tag.team', 'tag.env') },
)

const wildReport = fc
  .record({
    tenant: wildTenant,
    filter: fc.record(
      {
        startedAfterMs: wildTimeMs,
        startedBeforeMs: wildTimeMs,
        tactic: fc.constantFrom('essay', 'demo::review'),
        state: fc.constantFrom<Session['state']>('success', 'failure'),
        tags: wildTags,
      },
      { requiredKeys: [] },
    ),
    groups: wildGroups,
  })
  .map((report) => ({ kind: 'report', ...report }) as const)

const wildStep = fc.oneof(
  { weight: 3, arbitrary: wildSave },
  { weight: 1, arbitrary: wildDelete },
  { weight: 4, arbitrary: wildReport },
)
