import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openService } from './service.ts'

const call = 'POST /tactics/shout'
const batch = 'POST /tactics/shout/batch'
const json = 'application/json'
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

/** Route, body as it is sent, status, code, and the pointer of the first issue. */
const badBodies: readonly (readonly [string, string, number, string, string?])[] = [
  [call, '', 400, 'malformed-json'],
  [call, '{"task": ', 400, 'malformed-json'],
  [call, '{"task": "a"} x', 400, 'malformed-json'],
  [call, "{'task': 'a'}", 400, 'malformed-json'],
  [call, '{"task": NaN}', 400, 'malformed-json'],
  [call, '{"task": "a", "__proto__": {"x": 1}}', 400, 'malformed-json'],
  [call, '{"task": {"\\u005f_proto__": {}}}', 400, 'malformed-json'],
  [call, '{"task": {"constructor": {"prototype": {}}}}', 400, 'malformed-json'],
  [call, nested(100_000), 422, 'invalid-request', ''],
  [call, `{"task": ${nested(200)}}`, 422, 'invalid-request', ''],
  [call, 'null', 422, 'invalid-request', ''],
  [call, '[]', 422, 'invalid-request', ''],
  [call, '"a"', 422, 'invalid-request', ''],
  [call, '{}', 422, 'invalid-request', '/task'],
  [call, '{"task": 5}', 422, 'invalid-task', '/task'],
  [call, '{"task": null}', 422, 'invalid-task', '/task'],
  [
    'POST /tactics/count-nodes',
    '{"task": {"label": "a", "children": [{"label": 1}]}}',
    422,
    'invalid-task',
    '/task/children/0/label',
  ],
  [call, '{"task": "a", "tsak": "b"}', 422, 'invalid-request', '/tsak'],
  [call, '{"task": "a", "budget_usd": 0}', 422, 'invalid-request', '/budget_usd'],
  [call, '{"task": "a", "config": 1}', 422, 'invalid-request', '/config'],
  [call, '{"task": "a", "config": "../x"}', 422, 'invalid-request', '/config'],
  [call, '{"task": "a", "return_session": "yes"}', 422, 'invalid-request', '/return_session'],
  [call, '{"task": "a", "return_session": 1}', 422, 'invalid-request', '/return_session'],
  [call, '{"task": "a", "tags": []}', 422, 'invalid-request', '/tags'],
  [call, '{"task": "a", "tags": {"team": 1}}', 422, 'invalid-request', '/tags/team'],
  [call, '{"task": "a", "tags": {"a/b": "x"}}', 422, 'invalid-request', '/tags/a~1b'],
  [call, `{"task": "a", "tags": {"team": "${'x'.repeat(257)}"}}`, 422, 'invalid-request', '/tags/team'],
  [call, JSON.stringify({ task: 'a', tags: many(33) }), 422, 'invalid-request', '/tags'],
  [call, '{"task": "a", "metadata": "x"}', 422, 'invalid-request', '/metadata'],
  [call, '{"task": "a", "metadata": [1]}', 422, 'invalid-request', '/metadata'],
  [call, JSON.stringify({ task: 'a', metadata: { x: 'é'.repeat(8_200) } }), 422, 'invalid-request', '/metadata'],
  [call, '{"task": "a", "timeout_ms": 0}', 422, 'invalid-request', '/timeout_ms'],
  [call, '{"task": "a", "timeout_ms": 60001}', 422, 'invalid-request', '/timeout_ms'],
  [call, '{"task": "a", "timeout_ms": 1.5}', 422, 'invalid-request', '/timeout_ms'],
  [call, '{"task": "a", "timeout_ms": "5"}', 422, 'invalid-request', '/timeout_ms'],
  [batch, '{"task": "a"}', 422, 'invalid-request', '/tasks'],
  [batch, '{"tasks": []}', 422, 'invalid-request', '/tasks'],
  [batch, '{"tasks": "a"}', 422, 'invalid-request', '/tasks'],
  [batch, JSON.stringify({ tasks: Array(51).fill('a') }), 422, 'invalid-request', '/tasks'],
  [batch, '{"tasks": ["a", 5]}', 422, 'invalid-task', '/tasks/1'],
  [batch, '{"tasks": ["a"], "max_workers": 0}', 422, 'invalid-request', '/max_workers'],
  [batch, '{"tasks": ["a"], "max_workers": 11}', 422, 'invalid-request', '/max_workers'],
  [batch, '{"tasks": ["a"], "fail_fast": "true"}', 422, 'invalid-request', '/fail_fast'],
  [batch, '{"tasks": ["a"], "return_session": true}', 422, 'invalid-request', '/return_session'],
]

const badAddresses: readonly (readonly [string, number, string, string?])[] = [
  ['GET /', 404, 'route-not-found'],
  ['GET //tactics', 404, 'route-not-found'],
  ['GET /TACTICS', 404, 'route-not-found'],
  ['GET /tactics/none', 404, 'unknown-tactic'],
  ['GET /tactics/a%2fb', 404, 'unknown-tactic'],
  ['GET /tactics/a%00', 400, 'invalid-parameter', '/path/name'],
  ['GET /tactics/..%2f..%2fetc', 400, 'invalid-parameter', '/path/name'],
  ['GET /tactics/__proto__', 400, 'invalid-parameter', '/path/name'],
  ['GET /tactics/constructor', 404, 'unknown-tactic'],
  ['GET /tactics/%zz', 400, 'invalid-parameter'],
  [`GET /tactics/${'a'.repeat(200)}`, 400, 'invalid-parameter', '/path/name'],
  [`GET /tactics/${'a'.repeat(2_000)}`, 400, 'invalid-parameter'],
  ['POST /tactics/constructor', 404, 'unknown-tactic'],
  ['POST /tactics/none/batch', 404, 'unknown-tactic'],
  ['PUT /tactics/', 405, 'method-not-allowed'],
  ['DELETE /tactics/shout', 405, 'method-not-allowed'],
  ['GET /tactics/shout/batch', 405, 'method-not-allowed'],
  ['PATCH /sessions/x', 405, 'method-not-allowed'],
  ['GET /sessions/none', 404, 'unknown-session'],
  ['GET /sessions/none/cost', 404, 'unknown-session'],
  ['DELETE /sessions/none', 404, 'unknown-session'],
  ['GET /sessions/a%2fb', 400, 'invalid-parameter', '/path/id'],
  ['GET /sessions/a%00', 400, 'invalid-parameter', '/path/id'],
  ['GET /sessions?limit=0', 400, 'invalid-parameter', '/query/limit'],
  ['GET /sessions?limit=201', 400, 'invalid-parameter', '/query/limit'],
  ['GET /sessions?limit=ten', 400, 'invalid-parameter', '/query/limit'],
  ['GET /sessions?limit=1&limit=2', 400, 'invalid-parameter', '/query/limit'],
  ['GET /sessions?limit=', 400, 'invalid-parameter', '/query/limit'],
  ['GET /sessions?cursor=x', 400, 'invalid-parameter', '/query/cursor'],
  ['GET /sessions?cursor=%00', 400, 'invalid-parameter', '/query/cursor'],
  ['GET /sessions?cursor=WzEsMl0', 400, 'invalid-parameter', '/query/cursor'],
  ['GET /sessions?cursor=bnVsbA', 400, 'invalid-parameter', '/query/cursor'],
  ['GET /sessions?state=done', 400, 'invalid-parameter', '/query/state'],
  ['GET /sessions?tactic=a%00', 400, 'invalid-parameter', '/query/tactic'],
  ['GET /sessions?started_after=yesterday', 400, 'invalid-parameter', '/query/started_after'],
  ['GET /sessions?started_after=2026-02-30T00:00:00Z', 400, 'invalid-parameter', '/query/started_after'],
  ['GET /sessions?started_before=2026-11-02T09:30:00', 400, 'invalid-parameter', '/query/started_before'],
  ['GET /sessions?started_before=1795355248786', 400, 'invalid-parameter', '/query/started_before'],
  ['GET /sessions?nope=1', 400, 'invalid-parameter', '/query/nope'],
  ['GET /sessions?__proto__=1', 400, 'invalid-parameter', '/query/__proto__'],
  ['GET /sessions?tags=1', 400, 'invalid-parameter', '/query/tags'],
  ['GET /sessions?tag.=1', 400, 'invalid-parameter', '/query/tag.'],
  ['GET /sessions?tag.a%20b=1', 400, 'invalid-parameter', '/query/tag.a b'],
  ['GET /sessions?tag.a=1&tag.a=2', 400, 'invalid-parameter', '/query/tag.a'],
  [`GET /sessions?tag.a=${'x'.repeat(257)}`, 400, 'invalid-parameter', '/query/tag.a'],
  ['GET /costs?group_by=color', 400, 'invalid-parameter', '/query/group_by/0'],
  ['GET /costs?group_by=tactic,tactic', 400, 'invalid-parameter', '/query/group_by'],
  ['GET /costs?group_by=tactic,', 400, 'invalid-parameter', '/query/group_by/1'],
  ['GET /costs?group_by=tag.', 400, 'invalid-parameter', '/query/group_by/0'],
  ['GET /costs?group_by=tactic,agent,model,day,tag.a,tag.b', 400, 'invalid-parameter', '/query/group_by'],
  ['GET /costs?format=xml', 400, 'invalid-parameter', '/query/format'],
  ['GET /costs?limit=5', 400, 'invalid-parameter', '/query/limit'],
  ['GET /docs/errors/nothing', 404, 'route-not-found'],
  ['GET /docs/errors/toString', 404, 'route-not-found'],
]

function parts(route: string) {
  const [method = '', url = ''] = route.split(' ')
  return { method: method as 'GET', url }
}

function expectProblem(
  response: { statusCode: number; headers: object; json(): unknown },
  status: number,
  code: string,
) {
  expect(response.json()).toMatchObject({ status, code, type: `/docs/errors/${code}`, detail: expect.any(String) })
  expect(response.statusCode).toBe(status)
  expect(response.headers).toMatchObject({ 'content-type': expect.stringContaining('application/problem+json') })
}

for (const [route, payload, status, code, pointer] of badBodies) {
  test(`${route} with ${payload.slice(0, 60) || 'nothing'} is ${status} ${code}`, async () => {
    const { server, model } = await openService()
    const response = await server.inject({ ...parts(route), payload, headers: { 'content-type': json } })
    expectProblem(response, status, code)
    expect(response.json().errors?.[0]?.pointer).toBe(pointer)
    expect(model.callCount).toBe(0)
  })
}

for (const [route, status, code, pointer] of badAddresses) {
  test(`${route.slice(0, 80)} is ${status} ${code}`, async () => {
    const { server } = await openService()
    const payload = route.startsWith('POST') ? { task: 'a', tasks: ['a'] } : undefined
    const response = await server.inject({ ...parts(route), ...(payload === undefined ? {} : { payload }) })
    expectProblem(response, status, code)
    expect(response.json().errors?.[0]?.pointer).toBe(pointer)
  })
}

test('a method that the path does not have is told with those it has', async () => {
  const { server } = await openService()
  const allowOf = async (url: string) => (await server.inject({ method: 'PUT', url })).headers.allow
  expect(await allowOf('/tactics/shout')).toBe('GET, HEAD, POST')
  expect(await allowOf('/tactics/shout/batch')).toBe('POST')
  expect(await allowOf('/sessions/x')).toBe('DELETE, GET, HEAD')
})

describe('a content type', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/vnd.api+json',
    'multipart/form-data',
    'nonsense',
  ])('%s is not read', async (type) => {
    const { server } = await openService()
    const request = {
      method: 'POST',
      url: '/tactics/shout',
      payload: '{"task":"a"}',
      headers: { 'content-type': type },
    } as const
    expectProblem(await server.inject(request), 415, 'unsupported-media-type')
  })

  test('of JSON is read, whatever its parameters and its letters', async () => {
    const { server } = await openService()
    for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;x=y']) {
      const request = {
        method: 'POST',
        url: '/tactics/shout',
        payload: '{"task":"a"}',
        headers: { 'content-type': type },
      } as const
      expect((await server.inject(request)).statusCode).toBe(200)
    }
  })

  test('with a content encoding is not read', async () => {
    const { server } = await openService()
    const headers = { 'content-type': json, 'content-encoding': 'gzip' }
    const request = { method: 'POST', url: '/tactics/shout', payload: 'x', headers } as const
    expectProblem(await server.inject(request), 415, 'unsupported-media-type')
  })
})

test.each([
  ['{bad', 'The body is not JSON (at position 1 line 1 column 2).'],
  ['{"task": ', 'The body is not JSON.'],
  ['{"task": {"__proto__": {}}}', 'The body has a key that it must not have: "__proto__"'],
])('the body %s is told what is wrong with it', async (payload, detail) => {
  const { server } = await openService()
  const request = { method: 'POST', url: '/tactics/shout', payload, headers: { 'content-type': json } } as const
  expect((await server.inject(request)).json().detail).toContain(detail)
})

test('a group that is none is told which there are', async () => {
  const { server } = await openService()
  const { errors } = (await server.inject('/costs?group_by=color')).json()
  expect(errors).toEqual([
    {
      pointer: '/query/group_by/0',
      message: 'must be tactic, tactic_id, agent, model, day or tag.KEY, separated by commas',
    },
  ])
})

test('bytes that are no UTF-8 are no JSON', async () => {
  const { server } = await openService()
  const payload = Buffer.from('{"task":"é"}', 'latin1')
  const request = { method: 'POST', url: '/tactics/shout', payload, headers: { 'content-type': json } } as const
  expectProblem(await server.inject(request), 400, 'malformed-json')
})

test('a body above the limit is a 413', async () => {
  const { server } = await openService({ settings: { bodyLimitBytes: 1_024 } })
  const request = { method: 'POST', url: '/tactics/shout', payload: { task: 'x'.repeat(1_024) } } as const
  expectProblem(await server.inject(request), 413, 'payload-too-large')
})

test('an Accept header that nothing fits is a 406, and a usual one is fine', async () => {
  const { server } = await openService()
  const get = (url: string, accept: string) => server.inject({ url, headers: { accept } })
  expectProblem(await get('/tactics', 'text/csv'), 406, 'not-acceptable')
  expectProblem(await get('/tactics', 'application/json;q=0'), 406, 'not-acceptable')
  expectProblem(await get('/docs/errors/draining', 'application/json'), 406, 'not-acceptable')
  for (const accept of [
    '*/*',
    'application/json',
    'application/*',
    'text/html, */*;q=0.1',
    'application/json, text/plain',
  ]) {
    expect((await get('/tactics', accept)).statusCode).toBe(200)
  }
})

test('no JSON value whatever as a body, and no text as a query, is a fault of the service', async () => {
  const { server } = await openService()
  const envelope = fc.record(
    { task: fc.anything(), tags: fc.anything(), timeout_ms: fc.anything() },
    { requiredKeys: [] },
  )
  const body = fc.oneof(
    fc.json(),
    envelope.map((value) => JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? 0 : inner))),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.string(), async (payload, text) => {
      const called = await server.inject({
        method: 'POST',
        url: '/tactics/shout',
        payload,
        headers: { 'content-type': json },
      })
      expect(called.statusCode).toBeLessThan(500)
      const query = encodeURIComponent(text)
      const listed = await server.inject(`/sessions?cursor=${query}&tag.x=${query}&${query}=1`)
      expect(listed.statusCode).toBeLessThan(500)
    }),
    { numRuns: 80 },
  )
  expect((await server.inject('/healthz')).statusCode).toBe(200)
})
