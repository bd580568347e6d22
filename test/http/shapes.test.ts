import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type errorCodes, LllmError } from '../../src/domain/errors.ts'
import type { BoundTactic } from '../../src/engine/engine.ts'
import { cursor, toCursor } from '../../src/http/cursor.ts'
import { components } from '../../src/http/openapi/components.ts'
import { describeTactics } from '../../src/http/openapi/tactic-schemas.ts'
import { titleTactics } from '../../src/http/openapi/tactic-titles.ts'
import { asLllmError, problemKinds, retryAfterSeconds, toProblem } from '../../src/http/problem.ts'
import { openService } from './service.ts'

test('answers have the members that the document tells, and no others', async () => {
  const { server } = await openService()
  const asked = { task: { label: 'a' }, return_session: true }
  const called = await server.inject({ method: 'POST', url: '/tactics/count-nodes', payload: asked })
  const { session, session_id: id } = called.json()
  const tasks = [{ label: 'a' }, { label: 'b' }]
  const submitted = await server.inject({ method: 'POST', url: '/tactics/count-nodes/batches', payload: { tasks } })
  const { id: batchId } = submitted.json()
  const results = async () => (await server.inject(`/batches/${batchId}/results`)).body.split('\n')
  const [{ run_id: runId }] = (await results()).slice(0, 1).map((line) => JSON.parse(line))
  const waited = (await server.inject(`/runs/${runId}/wait`)).json()
  const [result] = (await results()).slice(0, 1).map((line) => JSON.parse(line))
  const answers = [
    ['Session', session],
    ['RunBatch', submitted.json()],
    ['Run', waited],
    ['RunResult', result],
    ...(await Promise.all(
      (
        [
          ['Session', `/sessions/${id}`],
          ['SessionCost', `/sessions/${id}/cost`],
          ['SessionList', '/sessions'],
          ['CostReport', '/costs?group_by=agent,tag.team'],
          ['RunList', '/runs'],
          ['RunBatchList', '/batches'],
          ['TacticList', '/tactics'],
          ['Info', '/info'],
          ['Ready', '/readyz'],
          ['Health', '/healthz'],
          ['Problem', '/sessions?limit=0'],
        ] as const
      ).map(async ([name, url]) => [name, (await server.inject(url)).json()] as const),
    )),
  ] as const
  for (const [name, answer] of answers) {
    // A shape drops what it does not know, so only an answer that it tells in full comes out as it was.
    expect(components[name as keyof typeof components].parse(answer), name).toEqual(answer)
  }
})

describe('a problem', () => {
  test('tells only what we know of an exception', () => {
    const error = asLllmError(Object.assign(new Error('secret'), { statusCode: 418 }))
    expect(error.code).toBe('internal-error')
    expect(JSON.stringify(toProblem(error, { requestId: 'r' }))).not.toContain('secret')
  })

  test('has a Retry-After in whole seconds, rounded up, where it is of use', () => {
    const seconds = (code: keyof typeof errorCodes, retryAfterMs?: number) =>
      retryAfterSeconds(new LllmError(code, '', retryAfterMs === undefined ? {} : { retryAfterMs }))
    expect(seconds('provider-rate-limited')).toBeUndefined()
    expect(seconds('provider-rate-limited', 1)).toBe(1)
    expect(seconds('provider-rate-limited', 30_001)).toBe(31)
    expect(seconds('overloaded')).toBe(5)
    expect(seconds('provider-failed', 1_000)).toBeUndefined()
  })

  test('has a status of an error, whatever its code', () => {
    for (const { status } of Object.values(problemKinds)) expect(status).toBeGreaterThanOrEqual(400)
  })
})

describe('a cursor', () => {
  test('comes back as it was', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/)
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), id, (startedAtMs, sessionId) => {
        const position = { startedAtMs, id: sessionId }
        expect(cursor.parse(toCursor(position))).toEqual(position)
      }),
    )
  })

  test('that was never one is refused, never misread', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          const { success } = cursor.safeParse(text)
          if (success)
            expect(JSON.parse(Buffer.from(text, 'base64url').toString())).toEqual([
              expect.any(Number),
              expect.any(String),
            ])
        },
      ),
    )
  })
})

describe('in the document, a tactic', () => {
  const named = (address: string, inputSchema = {}) => {
    return { address, name: address.replace(/^.*::/, ''), inputSchema, outputSchema: {} } as BoundTactic
  }

  test.each([
    ['two names are spelled alike', ['code-review', 'code_review', 'x2'], ['CodeReview', 'CodeReview2', 'X2']],
    ['another package has its name', ['a::shout', 'shout'], ['Shout', 'AShout']],
    ['a bare name is spelled as the address of another', ['a::shout', 'a_shout'], ['AShout', 'AShout2']],
    ['the operations of two would have one name', ['batch_shout', 'shout'], ['BatchShout', 'Shout2']],
    ['they would, in another order', ['a::x', 'batch_a_x', 'batch-a-x'], ['BatchAX', 'BatchAX2', 'AX3']],
  ])('has a title of its own, also when %s', (_when, addresses, expected) => {
    const titled = titleTactics(addresses.map((address) => named(address)))
    expect(titled.map(({ title }) => title)).toEqual(expected)
    const operations = titled.flatMap(({ title }) =>
      ['call', 'stream', 'batch', 'streamBatch', 'run', 'runBatch'].map((kind) => kind + title),
    )
    expect(new Set(operations).size).toBe(operations.length)
  })

  test('brings the definitions of its schemas along, and data that looks like a reference stays data', () => {
    const tree = {
      type: 'object',
      properties: { next: { $ref: '#/$defs/a~1b' }, self: { $ref: '#' } },
      default: { $ref: '#' },
    }
    const schema = { ...tree, $defs: { 'a/b': { items: { $ref: '#/$defs/a~1b' } } } }
    expect(describeTactics(titleTactics([named('walk', schema)]))).toEqual({
      WalkTask: {
        type: 'object',
        properties: {
          next: { $ref: '#/components/schemas/WalkTask_a_b' },
          self: { $ref: '#/components/schemas/WalkTask' },
        },
        default: { $ref: '#' },
      },
      WalkTask_a_b: { items: { $ref: '#/components/schemas/WalkTask_a_b' } },
      WalkResult: {},
    })
  })
})
