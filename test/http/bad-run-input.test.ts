import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openService } from './service.ts'

const run = 'POST /tactics/shout/runs'
const batch = 'POST /tactics/shout/batches'
const cancel = 'POST /runs/none/cancel'
const cancelBatch = 'POST /batches/none/cancel'
const json = 'application/json'
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const id = '01a21a67-8552-7a51-a2fa-98433b1895e9'

/** Route, body as it is sent, status, code, and the pointer of the first issue. */
const badBodies: readonly (readonly [string, string, number, string, string?])[] = [
  [run, '', 400, 'malformed-json'],
  [run, '{"task": ', 400, 'malformed-json'],
  [run, '{"task": "a", "__proto__": {"x": 1}}', 400, 'malformed-json'],
  [run, nested(100_000), 422, 'invalid-request', ''],
  [run, 'null', 422, 'invalid-request', ''],
  [run, '{}', 422, 'invalid-request', '/task'],
  [run, '{"task": 5}', 422, 'invalid-task', '/task'],
  [run, '{"task": "a", "config": "none"}', 404, 'unknown-config'],
  [run, '{"task": "a", "return_session": true}', 422, 'invalid-request', '/return_session'],
  [run, '{"task": "a", "run_budget_usd": 1}', 422, 'invalid-request', '/run_budget_usd'],
  [run, '{"task": "a", "id": "x"}', 422, 'invalid-request', '/id'],
  [run, '{"task": "a", "timeout_ms": 0}', 422, 'invalid-request', '/timeout_ms'],
  [run, '{"task": "a", "timeout_ms": 60001}', 422, 'invalid-request', '/timeout_ms'],
  [run, '{"task": "a", "priority": 1001}', 422, 'invalid-request', '/priority'],
  [run, '{"task": "a", "priority": -1001}', 422, 'invalid-request', '/priority'],
  [run, '{"task": "a", "priority": 0.5}', 422, 'invalid-request', '/priority'],
  [run, '{"task": "a", "priority": "1"}', 422, 'invalid-request', '/priority'],
  [run, '{"task": "a", "run_at": 1795355248786}', 422, 'invalid-request', '/run_at'],
  [run, '{"task": "a", "run_at": "soon"}', 422, 'invalid-request', '/run_at'],
  [run, '{"task": "a", "run_at": "2026-02-30T00:00:00Z"}', 422, 'invalid-request', '/run_at'],
  [run, '{"task": "a", "run_at": null}', 422, 'invalid-request', '/run_at'],
  [run, '{"task": "a", "webhook": "https://example.org"}', 422, 'invalid-request', '/webhook'],
  [run, '{"task": "a", "webhook": {}}', 422, 'invalid-request', '/webhook/url'],
  [run, '{"task": "a", "webhook": {"url": "file:///etc/passwd"}}', 422, 'invalid-request', '/webhook/url'],
  [run, '{"task": "a", "webhook": {"url": "https://a", "secret": 1}}', 422, 'invalid-request', '/webhook/secret'],
  [run, `{"task": "a", "webhook": {"url": "https://a/${'x'.repeat(2_048)}"}}`, 422, 'invalid-request', '/webhook/url'],
  [run, '{"task": "a", "limits": {"usd": 1}}', 422, 'invalid-request', '/limits/usd'],
  [run, '{"task": "a", "tags": {"a/b": "x"}}', 422, 'invalid-request', '/tags/a~1b'],
  [run, JSON.stringify({ task: 'a', metadata: { x: 'é'.repeat(8_200) } }), 422, 'invalid-request', '/metadata'],
  [batch, '{"task": "a"}', 422, 'invalid-request', '/tasks'],
  [batch, '{"tasks": []}', 422, 'invalid-request', '/tasks'],
  [batch, '{"tasks": {"0": "a"}}', 422, 'invalid-request', '/tasks'],
  [batch, '{"tasks": ["a", 5]}', 422, 'invalid-task', '/tasks/1'],
  [batch, '{"tasks": ["a"], "budget_usd": 1}', 422, 'invalid-request', '/budget_usd'],
  [batch, '{"tasks": ["a"], "run_budget_usd": 0}', 422, 'invalid-request', '/run_budget_usd'],
  [batch, '{"tasks": ["a"], "max_workers": 2}', 422, 'invalid-request', '/max_workers'],
  [cancel, '{"reason": 1}', 422, 'invalid-request', '/reason'],
  [cancel, '{"reason": ""}', 422, 'invalid-request', '/reason'],
  [cancel, JSON.stringify({ reason: 'x'.repeat(257) }), 422, 'invalid-request', '/reason'],
  [cancel, '{"why": "x"}', 422, 'invalid-request', '/why'],
  [cancel, '[]', 422, 'invalid-request', ''],
  [cancel, '{', 400, 'malformed-json'],
  [cancelBatch, '{"reason": ["x"]}', 422, 'invalid-request', '/reason'],
  ['POST /runs/none/resume', '{"now": true}', 422, 'invalid-request', '/now'],
]

const badAddresses: readonly (readonly [string, number, string, string?])[] = [
  ['POST /tactics/none/runs', 404, 'unknown-tactic'],
  ['POST /tactics/constructor/batches', 404, 'unknown-tactic'],
  ['GET /tactics/shout/runs', 405, 'method-not-allowed'],
  ['PUT /tactics/shout/batches', 405, 'method-not-allowed'],
  ['PATCH /runs/x', 405, 'method-not-allowed'],
  ['POST /runs', 405, 'method-not-allowed'],
  ['DELETE /batches/x', 405, 'method-not-allowed'],
  ['GET /runs/none', 404, 'unknown-run'],
  [`GET /runs/${id}`, 404, 'unknown-run'],
  ['GET /runs/a%00', 404, 'unknown-run'],
  ['GET /runs/a%2fb', 404, 'unknown-run'],
  ['GET /runs/__proto__', 404, 'unknown-run'],
  [`GET /runs/${'a'.repeat(200)}`, 404, 'unknown-run'],
  [`GET /runs/${'a'.repeat(2_000)}`, 400, 'invalid-parameter'],
  ['DELETE /runs/none', 404, 'unknown-run'],
  ['GET /runs/none/wait', 404, 'unknown-run'],
  ['GET /runs/none/events', 404, 'unknown-run'],
  ['POST /runs/none/cancel', 404, 'unknown-run'],
  ['POST /runs/none/resume', 404, 'unknown-run'],
  ['GET /batches/none', 404, 'unknown-batch'],
  ['GET /batches/a%00', 404, 'unknown-batch'],
  ['GET /batches/none/results', 404, 'unknown-batch'],
  ['POST /batches/none/cancel', 404, 'unknown-batch'],
  ['GET /runs/none/wait?timeout_ms=0', 400, 'invalid-parameter', '/query/timeout_ms'],
  ['GET /runs/none/wait?timeout_ms=60001', 400, 'invalid-parameter', '/query/timeout_ms'],
  ['GET /runs/none/wait?timeout_ms=1e3', 400, 'invalid-parameter', '/query/timeout_ms'],
  ['GET /runs/none/wait?timeout=1', 400, 'invalid-parameter', '/query/timeout'],
  ['GET /runs/none/events?after=-1', 400, 'invalid-parameter', '/query/after'],
  ['GET /runs/none/events?after=x', 400, 'invalid-parameter', '/query/after'],
  ['GET /runs/none/events?after=1&after=2', 400, 'invalid-parameter', '/query/after'],
  ['GET /runs/none/events?after=9999999999999999', 400, 'invalid-parameter', '/query/after'],
  ['GET /runs/none/events?from=1', 400, 'invalid-parameter', '/query/from'],
  ...['runs', 'batches'].flatMap((list): (readonly [string, number, string, string])[] => [
    [`GET /${list}?limit=0`, 400, 'invalid-parameter', '/query/limit'],
    [`GET /${list}?limit=201`, 400, 'invalid-parameter', '/query/limit'],
    [`GET /${list}?limit=1&limit=2`, 400, 'invalid-parameter', '/query/limit'],
    [`GET /${list}?cursor=x`, 400, 'invalid-parameter', '/query/cursor'],
    [`GET /${list}?cursor=WzEsMl0`, 400, 'invalid-parameter', '/query/cursor'],
    [`GET /${list}?nope=1`, 400, 'invalid-parameter', '/query/nope'],
    [`GET /${list}?__proto__=1`, 400, 'invalid-parameter', '/query/__proto__'],
  ]),
  ['GET /runs?state=done', 400, 'invalid-parameter', '/query/state'],
  ['GET /runs?tactic=a%00', 400, 'invalid-parameter', '/query/tactic'],
  ['GET /runs?batch=a%00', 400, 'invalid-parameter', '/query/batch'],
  ['GET /runs?started_after=2026-01-01', 400, 'invalid-parameter', '/query/started_after'],
  ['GET /runs?tag.a%20b=1', 400, 'invalid-parameter', '/query/tag.a b'],
  ['GET /runs?tag.a=1&tag.a=2', 400, 'invalid-parameter', '/query/tag.a'],
  ['GET /batches?tag.a=1', 400, 'invalid-parameter', '/query/tag.a'],
]

function parts(route: string) {
  const [method = '', url = ''] = route.split(' ')
  return { method: method as 'GET', url }
}

function expectProblem(
  response: { statusCode: number; headers: object; json(): { errors?: readonly { pointer: string }[] } },
  [status, code, pointer]: readonly [number, string, string?],
) {
  expect(response.json()).toMatchObject({ status, code, type: `/docs/errors/${code}`, detail: expect.any(String) })
  expect(response.statusCode).toBe(status)
  expect(response.headers).toMatchObject({ 'content-type': expect.stringContaining('application/problem+json') })
  expect(response.json().errors?.[0]?.pointer).toBe(pointer)
}

for (const [route, payload, ...expected] of badBodies) {
  test(`${route} with ${payload.slice(0, 60) || 'nothing'} is ${expected[0]} ${expected[1]}`, async () => {
    const { server, model } = await openService()
    const response = await server.inject({ ...parts(route), payload, headers: { 'content-type': json } })
    expectProblem(response, expected)
    expect((await server.inject('/runs')).json().data).toEqual([])
    expect(model.callCount).toBe(0)
  })
}

for (const [route, ...expected] of badAddresses) {
  test(`${route.slice(0, 80)} is ${expected[0]} ${expected[1]}`, async () => {
    const { server } = await openService()
    const payload = route.startsWith('POST /tactics') ? { task: 'a', tasks: ['a'] } : undefined
    expectProblem(await server.inject({ ...parts(route), ...(payload === undefined ? {} : { payload }) }), expected)
  })
}

test('a number of an event in the header that is none is told where it is', async () => {
  const { server } = await openService()
  for (const lastId of ['x', '-1', '1.5', '', '1'.repeat(16)]) {
    const response = await server.inject({ url: '/runs/none/events', headers: { 'last-event-id': lastId } })
    expectProblem(response, [400, 'invalid-parameter', '/header/last-event-id'])
  }
})

test('a reader of something else than what there is gets a 406', async () => {
  const { server } = await openService()
  const get = (url: string, accept: string) => server.inject({ url, headers: { accept } })
  expectProblem(await get('/runs/none/events', 'application/json'), [406, 'not-acceptable'])
  expectProblem(await get('/batches/none/results', 'text/csv'), [406, 'not-acceptable'])
  expectProblem(await get('/runs/none', 'text/event-stream'), [406, 'not-acceptable'])
})

test('nothing whatever that is sent is a fault of the service', async () => {
  const { server } = await openService()
  const fields = { task: fc.anything(), tasks: fc.array(fc.anything()), priority: fc.anything(), run_at: fc.anything() }
  const body = fc.oneof(
    fc.json(),
    fc
      .record({ ...fields, webhook: fc.anything(), reason: fc.anything() }, { requiredKeys: [] })
      .map((value) => JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? 0 : inner))),
    fc.array(fc.oneof(fc.json(), fc.string())).map((lines) => lines.join('\n')),
  )
  const url = fc.constantFrom('/tactics/shout/runs', '/tactics/shout/batches', '/runs/x/cancel', '/runs/x/resume')
  const type = fc.constantFrom(json, 'application/jsonl')
  await fc.assert(
    fc.asyncProperty(url, body, type, fc.string(), async (path, payload, contentType, text) => {
      const headers = { 'content-type': contentType }
      const posted = await server.inject({ method: 'POST', url: path, payload, headers })
      expect(posted.statusCode).toBeLessThan(500)
      const query = encodeURIComponent(text)
      for (const asked of [`/runs?cursor=${query}&tag.x=${query}`, `/runs/${query}/events?after=${query}`]) {
        expect((await server.inject(asked)).statusCode).toBeLessThan(500)
      }
    }),
    { numRuns: 80 },
  )
  expect((await server.inject('/healthz')).statusCode).toBe(200)
})
