import { describe, expect, test, vi } from 'vitest'
import { type SessionRecord, toSessionRecord } from '../../src/domain/session-record.ts'
import { breaksOff, json, openFaulty } from '../client/faulty-service.ts'
import { buildSession } from '../support/sessions.ts'
import { startNear } from './two-services.ts'

const honest = buildSession({ tactic: 'researcher', simulated: false, subSessions: [buildSession({ tactic: 'note' })] })
const usd = 2 * 0.000_027

function answer(change: (session: SessionRecord) => object = (session) => session, more: object = {}) {
  const session = change(toSessionRecord(honest))
  return { result: 'fine', session_id: honest.id, cost_usd: usd, session, ...more }
}

const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)

async function callChief(reply: Parameters<typeof openFaulty>[0], fields: object = {}) {
  const service = await openFaulty(reply)
  const near = await startNear(service.url)
  const { body } = await near.call('chief', 'go', { ...fields })
  return { body, session: await near.session(body.session_id), service, near }
}

test('an honest service is believed', async () => {
  const { body, session } = await callChief(json(answer()))
  expect(body).toMatchObject({ result: 'fine', cost_usd: usd })
  expect(session.sub_sessions).toEqual([toSessionRecord(honest)])
})

describe('what does not hold is a failure whose cost is not known:', () => {
  test.each<[string, unknown]>([
    [
      'a negative cost',
      answer((session) => ({ ...session, cost: { ...session.cost, cost_usd: -1 } }), { cost_usd: -1 }),
    ],
    ['a cost that is no number', answer((session) => ({ ...session, cost: { ...session.cost, cost_usd: 'NaN' } }))],
    [
      'a cost below the sum',
      answer((session) => ({ ...session, cost: { ...session.cost, cost_usd: 0 } }), { cost_usd: 0 }),
    ],
    ['a call that cost something else', answer(undefined, { cost_usd: 0 })],
    ['another session', answer(undefined, { session_id: 'another' })],
    ['an id that is none', answer((session) => ({ ...session, id: '../x' }), { session_id: '../x' })],
    ['no session', answer(() => ({}))],
    ['a session that has failed', answer((session) => ({ ...session, state: 'failure' }))],
    ['a session that goes on', answer((session) => ({ ...session, state: 'running' }))],
    ['a session that nests too deep', answer((session) => ({ ...session, task: nested(5_000) }))],
    ['too many tokens', answer((session) => ({ ...session, cost: { ...session.cost, prompt_tokens: 1e300 } }))],
    ['tags that are none', answer((session) => ({ ...session, tags: { team: 7 } }))],
  ])('%s', async (_case, sent) => {
    const { body, session } = await callChief(json(sent))
    expect(body).toMatchObject({ status: 502, code: 'remote-failed', cost_usd: null })
    expect(session).toMatchObject({
      cost: { unpriced_calls: 1 },
      sub_sessions: [{ tactic: 'researcher', state: 'failure', error: { code: 'remote-failed' } }],
    })
  })

  test.each<[string, Parameters<typeof openFaulty>[0]]>([
    ['half an answer', breaksOff('application/json', '{"result":', 'cut')],
    ['the page of a proxy', (reply) => void reply.writeHead(502).end('<h1>hunter2</h1>')],
    ['a redirect', (reply) => void reply.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
  ])('%s', async (_case, reply) => {
    const { body, session } = await callChief(reply)
    expect(body).toMatchObject({ code: 'remote-failed', cost_usd: null })
    expect(session.sub_sessions).toMatchObject([{ cost: { unpriced_calls: 1 } }])
    expect(JSON.stringify([body, session])).not.toContain('hunter2')
  })

  test('more than is read', async () => {
    const piece = Buffer.alloc(1024 * 1024, 0x20)
    const { body, service } = await callChief((reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' })
      // For ever, as far as the reader goes along.
      const write = () => {
        while (!reply.destroyed && reply.write(piece));
      }
      reply.on('drain', write)
      write()
    })
    expect(body).toMatchObject({ code: 'remote-failed' })
    // The caller may have its answer before the other service hears that its connection is closed.
    await vi.waitFor(() => expect(service.closedEarly()).toBe(1), { interval: 5 })
  })

  test('more spent than was allowed', async () => {
    const { body, session } = await callChief(json(answer()), { budget_usd: usd / 2 })
    expect(body).toMatchObject({ code: 'remote-failed', cost_usd: usd, detail: expect.stringContaining('allowed') })
    expect(session.sub_sessions).toMatchObject([{ id: honest.id, state: 'success' }])
  })
})

describe('of a call that fails,', () => {
  const problem = {
    type: '',
    title: 'T',
    status: 502,
    detail: 'It broke.',
    code: 'provider-failed',
    request_id: 'r',
    session_id: honest.id,
    cost_usd: 0.5,
  }

  test('the cost is known, where the session cannot be had; it may not be all', async () => {
    const { body, session } = await callChief(json(problem, 502))
    expect(body).toMatchObject({
      code: 'provider-failed',
      detail: 'The remote tactic "researcher": It broke.',
      cost_usd: 0.5,
    })
    expect(session.sub_sessions).toMatchObject([
      { id: honest.id, state: 'failure', cost: { cost_usd: 0.5, unpriced_calls: 1 } },
    ])
  })

  test('a cost that cannot be is not believed', async () => {
    const { body } = await callChief(json({ ...problem, cost_usd: -3 }, 502))
    expect(body).toMatchObject({ code: 'provider-failed', cost_usd: null })
  })

  test('codes that mean our own request, or nothing here, are not taken for those of our caller', async () => {
    for (const code of ['route-not-found', 'invalid-request', 'hunter2', '__proto__']) {
      const { body } = await callChief(json({ ...problem, code, status: 404, session_id: undefined }, 404))
      expect(body).toMatchObject({ status: 502, code: 'remote-failed', cost_usd: 0 })
    }
  })

  test('long words are cut', async () => {
    const { body } = await callChief(json({ ...problem, detail: 'x'.repeat(1_000_000) }, 502))
    expect(body.detail?.length).toBeLessThan(2_000)
  })
})
