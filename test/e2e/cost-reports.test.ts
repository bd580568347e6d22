import { beforeAll, expect, test } from 'vitest'
import { addCosts, type Cost } from '../../src/domain/cost.ts'
import { type CostLine, costLines } from '../../src/domain/cost-report.ts'
import type { Session } from '../../src/domain/session.ts'
import { toCostRecord } from '../../src/domain/session-record.ts'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { range } from '../support/session-stores.ts'
import { buildSession, type CallSketch, sessionId, testStartMs } from '../support/sessions.ts'
import { startService } from './support/service.ts'

const sessionCount = 10_000
/** What a report over all of them may take; alone on a machine it takes a tenth of that. */
const reportMaxMs = 1_000

const database = databaseFiles().newPath()
const sessions = range(sessionCount).map(makeSession)

/** Ordinary sessions, each a little different, over five days. Every seventh call is unpriced, and so is one model. */
function makeSession(number: number): Session {
  const call = (agent: string, salt: number): CallSketch => ({
    agent,
    model: pick(['gpt-4o', 'gpt-4o-mini', 'mystery'], number + salt),
    usage: { promptTokens: 100 + ((number * salt) % 977), completionTokens: (number + salt) % 89 },
    price:
      (number + salt) % 7 === 0 || pick([0, 0, 1], number + salt) === 1
        ? null
        : { promptPicoUsd: ((number + 1) * salt * 7_919) % 999_999_937, completionPicoUsd: number + salt },
  })
  const facts = buildSession({
    id: sessionId(sessionCount + number),
    tactic: 'facts',
    calls: [call('finder', 3), call('writer', 5)],
  })
  return buildSession({
    id: sessionId(number),
    tactic: pick(['essay', 'review', 'novel'], number),
    state: number % 10 === 0 ? 'failure' : 'success',
    startedAtMs: testStartMs + number * 40_000,
    tags: number % 5 === 0 ? {} : { team: pick(['search', 'ads "beta"', 'R&D, new'], number) },
    calls: [call('writer', 11), call('editor', 13)],
    subSessions: number % 4 === 0 ? [facts] : [],
  })
}

function pick<Value>(values: readonly Value[], number: number): Value {
  return values[number % values.length] as Value
}

beforeAll(async () => {
  const store = await openSessionStore(database)
  await Promise.all(sessions.map((session) => store.save(session)))
  await store.close()
})

type Key = string | null
type Row = Readonly<Record<string, string | number | null>>

interface CostsAnswer {
  readonly data: readonly Row[]
  readonly total: Row
}

const groups: Readonly<Record<string, (session: Session, line: CostLine) => Key>> = {
  tactic: (_session, { tactic }) => tactic,
  agent: (_session, { agent }) => agent,
  model: (_session, { model }) => model,
  day: ({ startedAtMs }) => new Date(startedAtMs).toISOString().slice(0, 10),
  'tag.team': ({ tags }) => tags['team'] ?? null,
}

/** The report as it has to be, added up from the sessions themselves. */
function expectedReport(chosen: readonly Session[], groupBy: readonly string[]): CostsAnswer {
  const shares = new Map<string, { readonly keys: Row; readonly sessions: Set<string>; calls: number; cost: Cost[] }>()
  for (const session of chosen) {
    for (const line of costLines(session)) {
      const keys = Object.fromEntries(groupBy.map((group) => [group, groups[group]?.(session, line) ?? null]))
      const share = shares.get(JSON.stringify(keys)) ?? { keys, sessions: new Set(), calls: 0, cost: [] }
      shares.set(JSON.stringify(keys), share)
      share.sessions.add(session.id)
      share.calls += line.llmCalls
      share.cost.push(line.cost)
    }
  }
  const data = [...shares.values()].map(({ keys, sessions, calls, cost }) => ({
    ...keys,
    sessions: sessions.size,
    llm_calls: calls,
    ...toCostRecord(addCosts(cost)),
  }))
  const calls = data.reduce((count, { llm_calls }) => count + llm_calls, 0)
  const cost = addCosts(chosen.map((session) => session.cost))
  return { data, total: { sessions: chosen.length, llm_calls: calls, ...toCostRecord(cost) } }
}

/** By their keys; the order of a report is tested where stores are. */
function sorted(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}

/** Reads CSV with quoted cells: RFC 4180. */
function readCsv(text: string, keyCount: number): readonly Row[] {
  const [header = [], ...rows] = text
    .trimEnd()
    .split('\r\n')
    .map((line) =>
      [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
        .slice(0, -1)
        .map(([, cell = '']) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)),
    )
  return rows.map((cells) =>
    Object.fromEntries(
      header.map((name, column) => {
        const cell = cells[column] ?? ''
        if (cell === '') return [name, null]
        return [name, column < keyCount ? cell : Number(cell)]
      }),
    ),
  )
}

test('the costs of 10,000 sessions are the sums of the sessions, by whatever they are grouped, as JSON and as CSV', async () => {
  const service = await startService({ database })
  for (const groupBy of [...Object.keys(groups), 'tactic,model', 'day,tag.team,tactic,agent,model']) {
    const startedAtMs = performance.now()
    const { body } = await service.get<CostsAnswer>(`/costs?group_by=${groupBy}`)
    expect(performance.now() - startedAtMs, groupBy).toBeLessThan(reportMaxMs)

    const expected = expectedReport(sessions, groupBy.split(','))
    expect(body.total, groupBy).toEqual(expected.total)
    expect(sorted(body.data), groupBy).toEqual(sorted(expected.data))

    const { text, headers } = await service.get(`/costs?group_by=${groupBy}&format=csv`)
    expect(headers.get('content-type')).toMatch('text/csv')
    expect(readCsv(text, groupBy.split(',').length), groupBy).toEqual(body.data)
  }
})

test('the same holds for a part of them', async () => {
  const service = await startService({ database })
  const query = 'group_by=model&state=success&tag.team=search&started_after=2026-11-23&started_before=2026-11-25'
  const chosen = sessions.filter(
    ({ state, tags, startedAtMs }) =>
      state === 'success' &&
      tags['team'] === 'search' &&
      startedAtMs >= Date.UTC(2026, 10, 23) &&
      startedAtMs < Date.UTC(2026, 10, 25),
  )
  const { body } = await service.get<CostsAnswer>(`/costs?${query}`)
  const expected = expectedReport(chosen, ['model'])
  expect(chosen.length).toBeGreaterThan(500)
  expect(body.total).toEqual(expected.total)
  expect(sorted(body.data)).toEqual(sorted(expected.data))
})
