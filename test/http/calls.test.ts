import { describe, expect, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { never, openService, type TestService } from './service.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7/

function post({ server }: TestService, url: string, payload: object) {
  return server.inject({ method: 'POST', url, payload })
}

describe('a call', () => {
  test('answers with the result, the session and the cost', async () => {
    const response = await post(await openService(), '/tactics/shout', { task: 'hello' })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual({
      result: 'HELLO',
      session_id: expect.stringMatching(uuid),
      cost_usd: 0.000003,
    })
  })

  test('carries the whole session when it is asked for, and it is the one that is stored', async () => {
    const service = await openService()
    const asked = { task: { label: 'a' }, return_session: true, tags: { team: 'search' }, metadata: { n: [1] } }
    const { session, session_id } = (await post(service, '/tactics/count-nodes', asked)).json()
    expect(session).toMatchObject({
      id: session_id,
      tactic_id: 'demo::count-nodes',
      tags: { team: 'search' },
      metadata: { n: [1] },
      sub_sessions: [{ tactic: 'shout' }],
    })
    expect((await service.server.inject(`/sessions/${session_id}`)).json()).toEqual(session)
  })

  test('carries a summary when that is asked for', async () => {
    const response = await post(await openService(), '/tactics/count-nodes', {
      task: { label: 'a' },
      return_session: 'summary',
    })
    expect(response.json().session).toMatchObject({
      state: 'success',
      agent_calls: 1,
      sub_tactic_calls: 1,
      llm_calls: 2,
      total_cost: 0.000006,
    })
  })

  test('takes one of the configs of its tactic, and no other', async () => {
    const service = await openService()
    expect((await post(service, '/tactics/shout', { task: 'a', config: 'default' })).statusCode).toBe(200)
    const unknown = await post(service, '/tactics/shout', { task: 'a', config: 'defualt' })
    expect(unknown.statusCode).toBe(404)
    expect(unknown.json()).toMatchObject({ code: 'unknown-config', detail: expect.stringContaining('"default"') })
  })

  test('says so in a header when the model was simulated', async () => {
    const service = await openService()
    expect((await post(service, '/tactics/shout', { task: 'a' })).headers['lllm-simulated']).toBeUndefined()
    service.model.simulated = true
    expect((await post(service, '/tactics/shout', { task: 'a' })).headers['lllm-simulated']).toBe('true')
    expect((await post(service, '/tactics/shout/batch', { tasks: ['a'] })).headers['lllm-simulated']).toBe('true')
  })

  test('of an unknown tactic is a 404 that names the likely one', async () => {
    const response = await post(await openService(), '/tactics/shuot', { task: 'a' })
    expect(response.statusCode).toBe(404)
    expect(response.json()).toMatchObject({
      code: 'unknown-tactic',
      detail: expect.stringContaining('Did you mean "shout"?'),
    })
  })

  test('that fails tells its session and what it cost', async () => {
    const service = await openService()
    const response = await post(service, '/tactics/broken', { task: 'a' })
    expect(response.statusCode).toBe(500)
    expect(response.headers['content-type']).toContain('application/problem+json')
    const problem = response.json()
    expect(problem).toMatchObject({
      type: '/docs/errors/tactic-failed',
      code: 'tactic-failed',
      instance: '/tactics/broken',
      request_id: response.headers['x-request-id'],
      retryable: false,
      session_id: expect.stringMatching(uuid),
      cost_usd: 0.000003,
    })
    const stored = await service.server.inject(`/sessions/${problem.session_id}`)
    expect(stored.json()).toMatchObject({ state: 'failure', error: { code: 'tactic-failed' } })
  })

  test('that fails by an exception keeps its text for the log', async () => {
    const service = await openService()
    const response = await post(service, '/tactics/broken', { task: 'a' })
    expect(response.body).not.toContain('hunter2')
    expect(JSON.stringify(service.logLines)).toContain('hunter2')
  })

  test('leaves nothing of its task, its metadata or its result in the log', async () => {
    const service = await openService()
    const payload = { metadata: { note: 'hunter9' }, tags: { team: 'hunter9' } }
    expect((await post(service, '/tactics/shout', { task: 'hunter9', ...payload })).body).toContain('HUNTER9')
    await post(service, '/tactics/broken', { task: 'hunter9', ...payload })
    await post(service, '/tactics/shout/batch', { tasks: ['hunter9'], ...payload })
    await post(service, '/tactics/shout', { task: { text: 'hunter9' } })
    await service.server.inject('/sessions?tag.team=hunter9')
    expect(service.logLines.length).toBeGreaterThan(4)
    expect(JSON.stringify(service.logLines)).not.toMatch(/hunter9/i)
  })

  test('that runs out of its time is a 504', async () => {
    const service = await openService()
    service.model.answer = (_request, signal) => never(signal)
    const response = await post(service, '/tactics/shout', { task: 'a', timeout_ms: 1 })
    expect(response.statusCode).toBe(504)
    expect(response.json()).toMatchObject({
      code: 'deadline-exceeded',
      retryable: true,
      session_id: expect.any(String),
    })
  })

  test('that a limit of rate ended tells when to come back, in whole seconds', async () => {
    const service = await openService()
    service.model.answer = async () => {
      throw new LllmError('provider-rate-limited', 'The provider limits the rate.', { retryAfterMs: 1_200 })
    }
    const response = await post(service, '/tactics/shout', { task: 'a' })
    expect(response.json()).toMatchObject({ code: 'provider-rate-limited', status: 429 })
    expect(response.headers['retry-after']).toBe('2')
  })
})

describe('a batch', () => {
  test('answers with its items in the order of the tasks, whichever came first', async () => {
    const service = await openService()
    let release = () => {}
    const first = new Promise<void>((resolve) => (release = resolve))
    service.model.answer = async ({ messages }) => {
      const text = String(messages.at(-1)?.content)
      if (text === 'slow') await first
      else release()
      return text
    }
    const response = await post(service, '/tactics/shout/batch', {
      tasks: ['slow', 'fast'],
      return_sessions: 'summary',
    })
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual({
      items: ['slow', 'fast'].map((result, index) => ({
        index,
        status: 'success',
        result,
        session_id: expect.stringMatching(uuid),
        cost_usd: 0.000003,
        session: expect.objectContaining({ state: 'success' }),
      })),
      counts: { success: 2, failure: 0, cancelled: 0, skipped: 0 },
      cost_usd: 0.000006,
    })
  })

  test('tells the failure of a task in its item and goes on', async () => {
    const service = await openService()
    const { items, counts } = (await post(service, '/tactics/broken/batch', { tasks: ['a', 'b'] })).json()
    expect(counts).toEqual({ success: 0, failure: 2, cancelled: 0, skipped: 0 })
    expect(items[0]).toMatchObject({
      status: 'failure',
      error: { code: 'tactic-failed', status: 500 },
      cost_usd: 0.000003,
    })
    expect(items[0]).not.toHaveProperty('result')
  })

  test('that fails fast skips what has not begun', async () => {
    const service = await openService()
    const asked = { tasks: ['a', 'b', 'c'], max_workers: 1, fail_fast: true }
    const { items, counts, cost_usd } = (await post(service, '/tactics/broken/batch', asked)).json()
    expect(counts).toEqual({ success: 0, failure: 1, cancelled: 0, skipped: 2 })
    expect(items[2]).toEqual({
      index: 2,
      status: 'skipped',
      error: expect.objectContaining({ code: 'skipped' }),
      session_id: null,
      cost_usd: 0,
    })
    expect(cost_usd).toBe(0.000003)
  })

  test('with a task that does not fit is refused as a whole, and nothing is spent', async () => {
    const service = await openService()
    const tasks = [{ label: 'a' }, { label: 1 }, { label: 'b', children: [{}] }]
    const response = await post(service, '/tactics/count-nodes/batch', { tasks })
    expect(response.statusCode).toBe(422)
    const { code, errors } = response.json()
    expect(code).toBe('invalid-task')
    expect(errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/tasks/1/label',
      '/tasks/2/children/0/label',
    ])
    expect(service.model.callCount).toBe(0)
  })
})
