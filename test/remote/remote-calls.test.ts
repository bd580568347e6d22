import { describe, expect, test, vi } from 'vitest'
import type { SessionRecord } from '../../src/domain/session-record.ts'
import { hang, says, status } from '../support/scripted-provider.ts'
import { replyUsage, replyUsd, startNear, startTwo } from './two-services.ts'

describe('a remote tactic', () => {
  test('is called as if it were here: its session becomes a child, and its cost counts', async () => {
    const { near, far } = await startTwo()
    const { status: code, body } = await near.call('chief', 'bees', { return_session: true })
    expect([code, body.result]).toEqual([200, 're: bees, re: bees'])
    const session = body.session as SessionRecord
    const [child] = session.sub_sessions
    expect(child).toEqual(await far.session(child?.id))
    expect(child).toMatchObject({
      tactic_id: 'far::researcher',
      task: 'bees',
      sub_sessions: [{ tactic_id: 'far::note' }],
      cost: { cost_usd: 2 * replyUsd },
    })
    expect(session).toMatchObject({ cost: { cost_usd: 2 * replyUsd }, llm_call_count: 2, sub_tactic_call_count: 1 })
    expect(body.cost_usd).toBe(2 * replyUsd)
    expect(await near.session(session.id)).toEqual(session)
    expect((await near.get<{ data: unknown }>('/costs?group_by=tactic')).body.data).toMatchObject([
      { tactic: 'note', cost_usd: replyUsd },
      { tactic: 'researcher', cost_usd: replyUsd },
    ])
  })

  test('has its place among the events, with the id that it has over there', async () => {
    const { near, far } = await startTwo()
    const { text } = await near.post('/tactics/chief/stream', { task: 'bees' })
    const { data } = (await far.get<{ data: readonly SessionRecord[] }>('/sessions')).body
    const told = text.split('\n\n').filter((event) => event.includes('event: tactic.'))
    expect(told).toHaveLength(2)
    for (const event of told) expect(event).toContain(`"session_id":"${data[0]?.id}","path":["chief","researcher"]`)
  })

  test('that is simulated makes its caller simulated', async () => {
    const { far } = await startTwo()
    const simulated = await startNear(far.url)
    expect((await simulated.call('chief', 'bees', { return_session: true })).body.session).toMatchObject({
      simulated: true,
    })
  })

  test('that fails throws into its caller, which may catch it: its session and its cost stay', async () => {
    const { near, far } = await startTwo({
      script: ({ lastText }, index) => (index === 0 ? says(lastText, { usage: replyUsage }) : status(400)),
      call: 'try { return await this.tactics.research(task) } catch (error) { return error.code + ": " + error.message }',
    })
    const { body } = await near.call('chief', 'bees', { return_session: true })
    expect(body.result).toMatch(/^provider-rejected: The remote tactic "researcher": /)
    const [child] = (body.session as SessionRecord).sub_sessions
    expect(child).toMatchObject({
      state: 'failure',
      cost: { cost_usd: replyUsd },
      error: { code: 'provider-rejected' },
    })
    expect(child).toEqual(await far.session(child?.id))
    expect(JSON.stringify(body)).not.toContain('SECRET')
  })

  test('that fails ends its caller with the same error, when nobody catches it', async () => {
    const { near } = await startTwo({ script: () => status(400) })
    expect((await near.call('chief', 'bees')).body).toMatchObject({ status: 502, code: 'provider-rejected' })
  })

  test('that does not take the task is a mistake of its caller, and nothing is spent', async () => {
    const { near } = await startTwo({ call: 'return await this.tactics.research(7)' })
    const { body } = await near.call('chief', 'bees')
    expect(body).toMatchObject({ code: 'tactic-failed', cost_usd: 0, detail: expect.stringContaining('researcher') })
    expect(await near.session(body.session_id)).toMatchObject({
      sub_sessions: [{ tactic: 'researcher', state: 'failure', error: { code: 'invalid-task' }, agent_calls: [] }],
    })
  })

  test('that nobody knows there, or where nobody is, is one too', async () => {
    const { near, far } = await startTwo({ remote: (url) => `remoteTactic('${url}', 'researchr')` })
    expect((await near.call('chief', 'bees')).body).toMatchObject({
      code: 'tactic-failed',
      detail: expect.stringContaining('Did you mean "researcher"?'),
    })
    await far.close()
    const { body } = await near.call('chief', 'bees')
    expect(body).toMatchObject({ status: 502, code: 'remote-failed', cost_usd: 0 })
    // Where that is, is the business of whoever runs this service, and of nobody else.
    const { host } = new URL(far.url)
    expect(JSON.stringify(body)).not.toContain(host)
    const told = near.logLines.find(({ msg }) => msg === 'remote call failed')
    expect(JSON.stringify(told)).toContain(`connect ECONNREFUSED ${host}`)
  })

  test('whose result does not fit the schema here is a failure', async () => {
    const { near } = await startTwo({
      remote: (url) =>
        `remoteTactic('${url}', 'researcher', { output: { '~standard': { version: 1, vendor: 'x', validate: () => ({ issues: [{ message: 'no' }] }) } } })`,
    })
    const { body } = await near.call('chief', 'bees')
    expect(body).toMatchObject({ code: 'invalid-result', cost_usd: 2 * replyUsd })
  })

  test('can be called many times at once', async () => {
    const { near } = await startTwo({
      call: "return JSON.stringify(await this.tactics.research.batch(['a', 'b', 'c', 'd'], { maxWorkers: 4 }))",
    })
    const { body } = await near.call('chief', 'bees', { return_session: true })
    expect(JSON.parse(String(body.result))).toMatchObject([
      { result: 're: a, re: a' },
      {},
      {},
      { result: 're: d, re: d' },
    ])
    expect((body.session as SessionRecord).sub_sessions.map(({ task }) => task)).toEqual(['a', 'b', 'c', 'd'])
    expect(body.cost_usd).toBe(8 * replyUsd)
  })
})

describe('the end of a call holds for remote tactics:', () => {
  test('a caller that hangs up cancels them, down to the provider; what they cost is not known', async () => {
    const { near, far, provider } = await startTwo({ script: () => hang() })
    const leaving = new AbortController()
    const call = near.call('chief', 'bees', {}, leaving.signal).catch(() => 'left')
    await provider.until(({ inFlight }) => inFlight === 1)
    leaving.abort()
    expect(await call).toBe('left')
    await provider.until(({ aborted }) => aborted === 1)
    const [here, there] = await Promise.all(
      [near, far].map(async (service) =>
        vi.waitFor(async () => {
          const { data } = (await service.get<{ data: readonly SessionRecord[] }>('/sessions')).body
          expect(data).toMatchObject([{ state: 'cancelled' }])
          return service.session(data[0]?.id)
        }),
      ),
    )
    expect(there).toMatchObject({ tactic: 'researcher' })
    expect(here).toMatchObject({
      cost: { cost_usd: null, unpriced_calls: 1 },
      sub_sessions: [
        { tactic: 'researcher', state: 'cancelled', end_reason: 'client-closed', cost: { unpriced_calls: 1 } },
      ],
    })
  })

  test('the time that is left is theirs, and their own end arrives in time', async () => {
    const { near, far } = await startTwo({ script: () => hang() })
    const { body } = await near.call('chief', 'bees', { timeout_ms: 400 })
    expect(body).toMatchObject({ code: 'deadline-exceeded' })
    const [child] = (await near.session(body.session_id)).sub_sessions
    expect(child).toMatchObject({ end_reason: 'deadline' })
    expect(child).toEqual(await far.session(child?.id))
  })

  test('a service that allows less time than there is, is asked for as much as it allows', async () => {
    const { near } = await startTwo({ farEnv: { LLLM_TIMEOUT_MS: '5000' } })
    expect((await near.call('chief', 'bees', { timeout_ms: 60_000 })).status).toBe(200)
  })
})

describe('what is secret stays so:', () => {
  test('headers and keys are sent, and turn up nowhere else', async () => {
    const { near, far, provider } = await startTwo({
      remote: (url) =>
        `remoteTactic('${url}', 'researcher', { headers: () => ({ 'x-request-id': 'hunter2' }), apiKeyName: 'far-away' })`,
      env: { LLLM_API_KEY_FAR_AWAY: 'swordfish' },
    })
    const seen: (string | undefined)[] = []
    far.server.server.prependListener('request', ({ headers }) => seen.push(headers.authorization))
    const { body } = await near.call('chief', 'bees', { return_session: true })
    expect(body.result).toBe('re: bees, re: bees')
    expect(seen).toContain('Bearer swordfish')
    expect(far.logLines.some((line) => line['request_id'] === 'hunter2')).toBe(true)
    const told = JSON.stringify([body, near.logLines, provider.requests.map(({ text }) => text)])
    expect(told).not.toContain('hunter2')
    expect(told).not.toContain('swordfish')
  })

  test('a key that is missing, and headers that none can be, are told by their names', async () => {
    const { near } = await startTwo({
      remote: (url) => `remoteTactic('${url}', 'researcher', { apiKeyName: 'far-away' })`,
    })
    expect((await near.call('chief', 'bees')).body).toMatchObject({
      code: 'invalid-settings',
      detail: expect.stringContaining('LLLM_API_KEY_FAR_AWAY'),
    })
    const broken = await startTwo({
      remote: (url) => `remoteTactic('${url}', 'researcher', { headers: () => ({ authorization: 'hunter2\\n' }) })`,
    })
    const { body } = await broken.near.call('chief', 'bees')
    expect(body).toMatchObject({ code: 'remote-failed', cost_usd: 0 })
    expect(JSON.stringify([body, broken.near.logLines])).not.toContain('hunter2')
  })
})

test('a remote tactic that a file exports is not served', async () => {
  const { near } = await startTwo()
  expect(near.runtime.engine.tactics.map(({ name }) => name)).toEqual(['chief'])
})

test('a config for a remote tactic is refused, with the place where it belongs', async () => {
  const starting = startTwo({ limits: 'sub_tactics: { research: pro }' })
  await expect(starting).rejects.toThrow(/\/sub_tactics\/research: it is a remote tactic.*config: 'pro'/)
})
