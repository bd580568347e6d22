import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addCosts, type Cost, costOf, noCost, type Usage } from '../../src/domain/cost.ts'
import { fromSessionRecord } from '../../src/domain/from-session-record.ts'
import type { JsonObject } from '../../src/domain/json.ts'
import type { AssistantMessage, Message } from '../../src/domain/message.ts'
import type { AgentCall, LlmCall, Session } from '../../src/domain/session.ts'
import { type SessionRecord, toSessionRecord } from '../../src/domain/session-record.ts'
import { wildSession } from '../support/session-arbitraries.ts'
import { buildSession, testStartMs } from '../support/sessions.ts'

const text = fc.string({ unit: 'binary', maxLength: 5 })
const number = fc.nat({ max: 1_000_000 })
const time = number.map((offsetMs) => testStartMs + offsetMs)
const name = fc.option(text, { nil: undefined })
const object = fc.dictionary(text, fc.jsonValue()) as fc.Arbitrary<JsonObject>

/** Leaves out what is undefined, as the engine does. */
function record<Value>(shape: { [Key in keyof Value]: fc.Arbitrary<Value[Key] | undefined> }): fc.Arbitrary<Value> {
  const whole = fc.record<Record<string, unknown>>(shape as never)
  return whole.map(
    (value) => Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Value,
  )
}

const toolCall = fc.record({ id: text, name: text, arguments: text })
const assistant = record<AssistantMessage>({
  role: fc.constant('assistant'),
  content: text,
  name,
  toolCalls: fc.option(fc.array(toolCall, { maxLength: 2 }), { nil: undefined }),
  refusal: name,
})
const part = fc.oneof(
  fc.record({ type: fc.constant('text' as const), text }),
  record<{ type: 'image'; url: string; base64: string; mediaType: string }>({
    type: fc.constant('image'),
    url: name,
    base64: name,
    mediaType: name,
  }),
)
const message: fc.Arbitrary<Message> = fc.oneof(
  assistant,
  fc.record({ role: fc.constant('system' as const), content: text }),
  record<Extract<Message, { role: 'user' }>>({
    role: fc.constant('user'),
    content: fc.oneof(text, fc.array(part, { maxLength: 2 })),
    name,
  }),
  fc.record({ role: fc.constant('tool' as const), content: text, toolCallId: text }),
)
const usage = record<Usage>({
  promptTokens: number,
  cachedPromptTokens: number,
  completionTokens: number,
  reasoningTokens: number,
  estimated: fc.option(fc.constant(true as const), { nil: undefined }),
})
const money = fc.nat({ max: 1e15 })

/** A call that was priced, that may have been billed, or that was not. */
const paid: fc.Arbitrary<{ readonly usage: Usage | null; readonly cost: Cost }> = fc.oneof(
  fc.tuple(usage, money, money).map(([tokens, promptPicoUsd, completionPicoUsd]) => {
    return { usage: tokens, cost: costOf(tokens, { promptPicoUsd, completionPicoUsd }) }
  }),
  fc.option(usage).map((tokens) => ({ usage: tokens, cost: costOf(tokens, null) })),
  fc.constant({ usage: null, cost: noCost }),
  // What is known of a remote call whose session is lost.
  money.map((completionPicoUsd) => {
    return { usage: null, cost: { ...noCost, completionPicoUsd, pricedCalls: 1, unpricedCalls: 1 } }
  }),
)

const llmCall: fc.Arbitrary<LlmCall> = fc
  .record({
    id: text,
    step: number,
    attempt: number,
    invoker: text,
    model: text,
    startedAtMs: time,
    durationMs: number,
    request: fc.record({
      messages: fc.array(message, { maxLength: 3 }),
      args: object,
      tools: fc.array(fc.record({ name: text, description: text, parameters: object, strict: fc.boolean() }), {
        maxLength: 1,
      }),
    }),
    response: fc.option(
      fc.record({ id: fc.option(text), model: fc.option(text), message: assistant, finishReason: fc.option(text) }),
    ),
    paid,
    error: fc.option(fc.record({ code: fc.constantFrom('unreachable', 'not-sent', 'failed'), message: text })),
  })
  .map(({ paid: both, ...call }) => ({ ...call, ...both }))

const agentCall: fc.Arbitrary<AgentCall> = fc
  .record({
    id: text,
    agent: text,
    dialog: text,
    state: fc.constantFrom('success' as const, 'failure' as const),
    startedAtMs: time,
    durationMs: number,
    llmCalls: fc.array(llmCall, { maxLength: 2 }),
    toolCalls: fc.array(
      fc.record({
        id: text,
        step: number,
        name: text,
        arguments: text,
        result: text,
        error: fc.option(text),
        startedAtMs: time,
        durationMs: number,
      }),
      { maxLength: 1 },
    ),
    retries: fc.array(
      fc.record({
        kind: fc.constantFrom('exception' as const, 'recall' as const, 'fallback' as const),
        step: number,
        error: text,
        waitedMs: number,
      }),
      { maxLength: 1 },
    ),
    delivery: fc.option(assistant),
  })
  .map((call) => ({ ...call, cost: addCosts(call.llmCalls.map(({ cost }) => cost)) }))

/** Sessions with everything that one can have. */
const fullSession = fc
  .tuple(wildSession, fc.array(agentCall, { maxLength: 2 }), object, fc.option(text), fc.jsonValue())
  .map(([session, agentCalls, metadata, failed, task]): Session => {
    return {
      ...session,
      task,
      metadata,
      error: failed === null ? null : { code: 'tactic-failed', message: failed, data: { known: [failed] } },
      agentCalls,
      cost: addCosts([...agentCalls, ...session.subSessions].map(({ cost }) => cost)),
    }
  })

function sent(session: Session): SessionRecord {
  return JSON.parse(JSON.stringify(toSessionRecord(session)))
}

test('it is the inverse of toSessionRecord, to the last pico-USD', async () => {
  await fc.assert(
    fc.property(fullSession, (session) => {
      expect(fromSessionRecord(sent(session))).toEqual(JSON.parse(JSON.stringify(session)))
    }),
    { numRuns: 300 },
  )
})

describe('what does not add up is refused:', () => {
  const whole = buildSession({ subSessions: [buildSession()] })

  test.each<[string, string, unknown]>([
    ['a total below the sum', 'cost.cost_usd', 0],
    ['a negative total', 'cost.cost_usd', -1],
    ['fewer tokens', 'cost.prompt_tokens', 199],
    ['a total of which nothing is known', 'cost.cost_usd', null],
    ['unpriced calls that the whole does not have', 'agent_calls.0.cost.unpriced_calls', 1],
    ['another sum below', 'sub_sessions.0.cost.cost_usd', 1],
    ['a negative call', 'agent_calls.0.llm_calls.0.cost.prompt_cost_usd', -1],
    ['a call that cost no number', 'agent_calls.0.llm_calls.0.cost.prompt_cost_usd', Number.NaN],
    ['a call that cost less than a pico-USD', 'agent_calls.0.llm_calls.0.cost.prompt_cost_usd', 1e-13],
    ['a call that cost more than can be', 'agent_calls.0.llm_calls.0.cost.prompt_cost_usd', 1e6],
    ['another number of calls', 'llm_call_count', 1],
    ['another duration', 'duration_ms', 0],
    ['a time that is none', 'started_at', 'yesterday'],
  ])('%s', (_case, place, value) => {
    const spoilt = sent(whole)
    const keys = place.split('.')
    const last = keys.pop() ?? ''
    const owner = keys.reduce((inner, key) => inner[key] as typeof inner, spoilt as never as Record<string, unknown>)
    expect(owner).toHaveProperty(last)
    owner[last] = value
    expect(() => fromSessionRecord(spoilt)).toThrow(RangeError)
  })

  test('sums that are too large to be exact', () => {
    const price = { promptPicoUsd: 2e15, completionPicoUsd: 0 }
    const rich = buildSession({ calls: [{ price }, { price }, { price }, { price }, { price }] })
    expect(() => fromSessionRecord(sent(rich))).toThrow('too large')
  })
})
