import { describe, expect, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import type { CostReport } from '../../src/domain/session-store.ts'
import { toCostsCsv } from '../../src/http/cost-csv.ts'
import { openService, type TestService } from './service.ts'

async function call({ server }: TestService, tactic: string, task: unknown, tags = {}): Promise<string> {
  const response = await server.inject({ method: 'POST', url: `/tactics/${tactic}`, payload: { task, tags } })
  return response.json().session_id
}

async function idsOf({ server }: TestService, query: string): Promise<readonly string[]> {
  const { data } = (await server.inject(`/sessions${query}`)).json()
  return data.map(({ id }: { id: string }) => id)
}

describe('the list of sessions', () => {
  test('is newest first, in pages that no session is on twice', async () => {
    const service = await openService()
    const ids: string[] = []
    for (let index = 0; index < 5; index++) ids.unshift(await call(service, 'shout', 'a'))

    const seen: string[] = []
    for (let cursor = ''; cursor !== null; ) {
      const page = await service.server.inject(`/sessions?limit=2${cursor && `&cursor=${cursor}`}`)
      const { data, next_cursor } = page.json()
      seen.push(...data.map(({ id }: { id: string }) => id))
      cursor = next_cursor
    }
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })

  test('tells of each session what it was and what it cost', async () => {
    const service = await openService()
    const id = await call(service, 'count-nodes', { label: 'a' }, { team: 'search' })
    const { data, next_cursor } = (await service.server.inject('/sessions')).json()
    expect(next_cursor).toBeNull()
    expect(data).toEqual([
      {
        id,
        tactic: 'count-nodes',
        tactic_id: 'demo::count-nodes',
        state: 'success',
        started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        duration_ms: expect.any(Number),
        agent_calls: 1,
        sub_tactic_calls: 1,
        llm_calls: 2,
        tokens: 60,
        cost_usd: 0.000006,
        tags: { team: 'search' },
      },
    ])
  })

  test('can be narrowed by tactic, state, tags and time', async () => {
    const service = await openService()
    const shouted = await call(service, 'shout', 'a', { team: 'search', 'cost.center': '7' })
    const broken = await call(service, 'broken', 'a', { team: 'mail' })
    expect(await idsOf(service, '?tactic=shout')).toEqual([shouted])
    expect(await idsOf(service, '?state=failure')).toEqual([broken])
    expect(await idsOf(service, '?tag.team=search&tag.cost.center=7')).toEqual([shouted])
    expect(await idsOf(service, '?tag.team=search&tag.cost.center=8')).toEqual([])
    expect(await idsOf(service, '?started_before=2020-01-01')).toEqual([])
    expect(await idsOf(service, '?started_after=2020-01-01T00:00:00%2B02:00')).toHaveLength(2)
  })
})

test('a session that is deleted is gone', async () => {
  const service = await openService()
  const id = await call(service, 'shout', 'a')
  const remove = () => service.server.inject({ method: 'DELETE', url: `/sessions/${id}` })
  const first = await remove()
  expect([first.statusCode, first.body]).toEqual([204, ''])
  expect((await remove()).statusCode).toBe(404)
  expect((await service.server.inject(`/sessions/${id}`)).json().code).toBe('unknown-session')
})

test('a client that says what its bodies are can delete without a body', async () => {
  const service = await openService()
  const url = `/sessions/${await call(service, 'shout', 'a')}`
  const headers = { 'content-type': 'application/json' }
  expect((await service.server.inject({ method: 'DELETE', url, headers })).statusCode).toBe(204)
})

test('the cost of a session has a line for each tactic, agent and model, and they add up', async () => {
  const service = await openService()
  const id = await call(service, 'count-nodes', { label: 'a' })
  const { session_id, total, lines } = (await service.server.inject(`/sessions/${id}/cost`)).json()
  expect(session_id).toBe(id)
  expect(total).toEqual({
    llm_calls: 2,
    prompt_tokens: 40,
    cached_prompt_tokens: 10,
    completion_tokens: 20,
    reasoning_tokens: 4,
    total_tokens: 60,
    prompt_cost_usd: 0.000004,
    completion_cost_usd: 0.000002,
    cost_usd: 0.000006,
    unpriced_calls: 0,
  })
  expect(lines).toHaveLength(2)
  expect(lines.find(({ tactic }: { tactic: string }) => tactic === 'shout')).toMatchObject({
    tactic_id: 'demo::shout',
    agent: 'shouter',
    model: 'test-model',
    llm_calls: 1,
    cost_usd: 0.000003,
  })
})

describe('the cost report', () => {
  async function openSpent() {
    const service = await openService()
    await call(service, 'count-nodes', { label: 'a' }, { team: 'search' })
    await call(service, 'shout', 'a')
    return service.server
  }

  test('groups by tactic when nothing else is asked for', async () => {
    const { data, total } = (await (await openSpent()).inject('/costs')).json()
    expect(data).toMatchObject([
      { tactic: 'count-nodes', sessions: 1, llm_calls: 1, cost_usd: 0.000003 },
      { tactic: 'shout', sessions: 2, llm_calls: 2, cost_usd: 0.000006 },
    ])
    expect(total).toMatchObject({ sessions: 2, llm_calls: 3, total_tokens: 90, cost_usd: 0.000009 })
  })

  test('groups by tags too; sessions without the tag are a group of their own', async () => {
    const { data } = (await (await openSpent()).inject('/costs?group_by=tag.team,model')).json()
    expect(data).toHaveLength(2)
    expect(data).toContainEqual(expect.objectContaining({ 'tag.team': 'search', model: 'test-model', llm_calls: 2 }))
    expect(data).toContainEqual(expect.objectContaining({ 'tag.team': null, model: 'test-model', llm_calls: 1 }))
  })

  test('takes the filters of the list of sessions', async () => {
    const { total } = (await (await openSpent()).inject('/costs?tag.team=search')).json()
    expect(total).toMatchObject({ sessions: 1, llm_calls: 2 })
  })

  test('is CSV when the Accept header or the query says so', async () => {
    const server = await openSpent()
    const asked = await server.inject('/costs?format=csv')
    const accepted = await server.inject({ url: '/costs', headers: { accept: 'text/csv' } })
    expect(asked.headers['content-type']).toBe('text/csv; charset=utf-8')
    expect(asked.body.split('\r\n')).toEqual([
      'tactic,sessions,llm_calls,prompt_tokens,cached_prompt_tokens,completion_tokens,reasoning_tokens,total_tokens,prompt_cost_usd,completion_cost_usd,cost_usd,unpriced_calls',
      'count-nodes,1,1,20,5,10,2,30,0.000002,0.000001,0.000003,0',
      'shout,2,2,40,10,20,4,60,0.000004,0.000002,0.000006,0',
      '',
    ])
    expect(accepted.body).toBe(asked.body)
    const overruled = await server.inject({
      url: '/costs?format=json',
      headers: { accept: 'text/csv, application/json' },
    })
    expect(overruled.headers['content-type']).toContain('application/json')
  })
})

describe('CSV', () => {
  const totals = {
    sessions: 1,
    llmCalls: 1,
    promptTokens: 0,
    cachedPromptTokens: 0,
    completionTokens: 0,
    reasoningTokens: 0,
    totalTokens: 0,
    promptPicoUsd: 150n,
    completionPicoUsd: 0n,
    pricedCalls: 1,
    unpricedCalls: 0,
  }
  const cellsOf = (row: Partial<CostReport['data'][number]>) => {
    const csv = toCostsCsv({ data: [{ ...totals, keys: ['x'], ...row }], total: totals }, ['tag.team'])
    return csv.slice(csv.indexOf('\r\n') + 2)
  }

  test('quotes what has commas, quotes and line breaks', () => {
    expect(cellsOf({ keys: ['a,"b"\nc'] })).toMatch(/^"a,""b""\nc",/)
  })

  test('disarms what a spreadsheet would run as a formula', () => {
    expect(cellsOf({ keys: ['=HYPERLINK("x")'] })).toMatch(/^"'=HYPERLINK\(""x""\)",/)
    expect(cellsOf({ keys: ['@SUM(A1)'] })).toMatch(/^'@SUM/)
  })

  test('has money without exponents, and nothing where nothing could be priced', () => {
    expect(cellsOf({})).toContain(',0.00000000015,0,0.00000000015,0\r\n')
    expect(cellsOf({ pricedCalls: 0, unpricedCalls: 2 })).toContain(',,,,2\r\n')
  })
})

test('a store that does not answer is a 503 that says when to come back', async () => {
  const down = () => Promise.reject(new LllmError('store-unavailable', 'The session store does not answer.'))
  const { server } = await openService({ store: { list: down, get: down, costs: down, costOf: down, delete: down } })
  for (const url of ['/sessions', '/sessions/x', '/sessions/x/cost', '/costs']) {
    const response = await server.inject(url)
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5'])
    expect(response.json()).toMatchObject({ code: 'store-unavailable', retryable: true })
  }
})
