import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type { SessionRecord } from '../../src/domain/session-record.ts'
import {
  callsTool,
  cutSocket,
  emptyChoices,
  html,
  type Script,
  type ScriptedProvider,
  type ScriptedReply,
  says,
  status,
} from '../support/scripted-provider.ts'
import { writePackage } from './support/package.ts'
import { scripted, startService, type TestService } from './support/service.ts'
import { type Plan, providerPrices, spendingPackage } from './support/spending-package.ts'

afterEach(() => void vi.restoreAllMocks())

type CostRecord = SessionRecord['cost']

async function openSpending(script: Script) {
  // With the luckiest draws nobody waits between recalls.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const folder = await writePackage(spendingPackage)
  const provider = await scripted(script, { prices: providerPrices })
  const service = await startService({ folder, provider, env: { LLLM_PRICES: join(folder, 'prices.yaml') } })
  return { provider, service }
}

const plan = fc.letrec<{ readonly plan: Plan }>((tie) => ({
  plan: fc.record({
    asks: fc.array(fc.constantFrom('thrifty', 'lavish', 'unpriced'), { maxLength: 3 }),
    below: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('plan'), { maxLength: 3 })),
    inBatch: fc.boolean(),
    throws: fc.boolean(),
  }),
})).plan

const usage = fc
  .record({
    promptTokens: fc.nat(1e6),
    cachedPromptTokens: fc.nat(1e6),
    completionTokens: fc.nat(1e5),
    reasoningTokens: fc.nat(1e5),
  })
  .map((used) => ({
    ...used,
    cachedPromptTokens: Math.min(used.cachedPromptTokens, used.promptTokens),
    reasoningTokens: Math.min(used.reasoningTokens, used.completionTokens),
  }))

const soon = { headers: { 'retry-after-ms': '1' } }

/** What the provider may do: replies of all kinds, paid ones that are of no use, and failures. */
const reply: fc.Arbitrary<ScriptedReply> = fc.oneof(
  { weight: 3, arbitrary: usage.map((used) => says('fine', { usage: used })) },
  usage.map((used) => says('fine', { usage: used, model: 'lavish-1' })),
  usage.map((used) => says('', { usage: used })),
  usage.map((used) => callsTool('add', { left: used.promptTokens, right: 1 }, { usage: used })),
  usage.map((used) => callsTool('add', 'no arguments', { usage: used })),
  usage.map((used) => emptyChoices({ usage: used })),
  fc.constantFrom(
    says('fine', { usage: null }),
    html(),
    cutSocket(),
    cutSocket({ inBody: true }),
    status(429, soon),
    status(500, soon),
    status(400),
  ),
)

/** How often the provider may have billed without anybody knowing how much. */
function unpricedCallsOf(sent: ScriptedReply, model: string): number {
  if (sent.kind === 'answer') {
    return sent.usage === null || !Object.hasOwn(providerPrices, sent.model ?? model) ? 1 : 0
  }
  return sent.kind === 'cut' || (sent.kind === 'http' && sent.status === 200) ? 1 : 0
}

/** The whole number of pico-USD that a number of the API stands for. */
function pico(usd: number | null): number {
  return Math.round((usd ?? 0) * 1e12)
}

interface Sums {
  readonly cost_usd: number | null
  readonly total_tokens: number
  readonly unpriced_calls: number
}

function sum(costs: readonly Sums[]): Sums {
  const add = (numberOf: (cost: Sums) => number) => costs.reduce((total, cost) => total + numberOf(cost), 0)
  return {
    cost_usd: add(({ cost_usd }) => pico(cost_usd)),
    total_tokens: add(({ total_tokens }) => total_tokens),
    unpriced_calls: add(({ unpriced_calls }) => unpriced_calls),
  }
}

function leavesOf({ agent_calls, sub_sessions }: SessionRecord): readonly CostRecord[] {
  const own = agent_calls.flatMap(({ llm_calls }) => llm_calls.map(({ cost }) => cost))
  return [...own, ...(sub_sessions as readonly SessionRecord[]).flatMap(leavesOf)]
}

/** Calls once and looks at its cost from every side. */
async function spend({ service, provider, task, run }: Spending) {
  const before = { charged: provider.chargedPicoUsd, requests: provider.requests.length }
  const { status: code, body } = await service.call('top', task, { tags: { run: `${run}` } })
  expect(code).toBeOneOf([200, 429, 500, 502])
  const session = await service.session(body.session_id)
  const { cost } = session

  expect(pico(cost.cost_usd)).toBe(provider.chargedPicoUsd - before.charged)
  expect(session.llm_call_count).toBe(provider.requests.length - before.requests)
  expect(body.cost_usd).toBe(cost.cost_usd)
  expect(sum(leavesOf(session))).toEqual(sum([cost]))

  const report = await service.get<CostAnswer>(`/sessions/${session.id}/cost`)
  expect(report.body.total).toEqual({ llm_calls: session.llm_call_count, ...cost })
  expect(sum(report.body.lines)).toEqual(sum([cost]))
  return cost
}

interface Spending {
  readonly service: TestService
  readonly provider: ScriptedProvider
  readonly task: Plan
  readonly run: number
}

interface CostAnswer {
  readonly total: Sums
  readonly lines: readonly Sums[]
}

interface CostsAnswer {
  readonly data: readonly Sums[]
  readonly total: Sums & { readonly sessions: number }
}

test('what sessions cost is what the provider charged, to the pico-USD, whatever happened in them', async () => {
  let replies: readonly ScriptedReply[] = []
  let unpricedCalls = 0
  const { provider, service } = await openSpending(({ model, index }) => {
    const sent = replies[index % replies.length] as ScriptedReply
    unpricedCalls += unpricedCallsOf(sent, model)
    return sent
  })
  let run = 0
  const costs: CostRecord[] = []
  await fc.assert(
    fc.asyncProperty(plan, fc.array(reply, { minLength: 1, maxLength: 8 }), async (task, wild) => {
      replies = wild
      unpricedCalls = 0
      const cost = await spend({ service, provider, task, run: run++ })
      expect(cost.unpriced_calls).toBe(unpricedCalls)
      costs.push(cost)
    }),
    { numRuns: 40 },
  )

  const all = sum(costs)
  expect(all.cost_usd).toBe(provider.chargedPicoUsd)
  for (const group of ['tactic', 'agent', 'model', 'day', 'tag.run', 'tactic,agent,model,day,tag.run']) {
    const { data, total } = (await service.get<CostsAnswer>(`/costs?group_by=${group}`)).body
    expect(sum(data), group).toEqual(all)
    expect(sum([total]), group).toEqual(all)
    expect(total.sessions).toBe(costs.length)
  }
})

const oneAsk = (agent: Plan['asks'][number]): Plan => ({ asks: [agent], below: [], inBatch: false, throws: true })

test('a call that failed tells what it cost nevertheless', async () => {
  const used = { promptTokens: 1_000, cachedPromptTokens: 400, completionTokens: 10, reasoningTokens: 4 }
  const { service } = await openSpending(() => says('', { usage: used }))
  const { status: code, body } = await service.call('top', oneAsk('lavish'))
  // 600 * 2,500,001 + 400 * 333,333 + 10 * 10,000,007 pico-USD, and that twice: the empty reply was asked for again.
  expect(code).toBe(502)
  expect(body).toMatchObject({ code: 'reply-unusable', cost_usd: 0.00346666774 })
  expect((await service.session(body.session_id)).cost).toMatchObject({
    prompt_tokens: 2_000,
    cached_prompt_tokens: 800,
    completion_tokens: 20,
    reasoning_tokens: 8,
    prompt_cost_usd: 0.0032666676,
    completion_cost_usd: 0.00020000014,
  })
})

test('a model without a known price is unpriced, never free', async () => {
  const { service } = await openSpending(() => says('fine'))
  const { body } = await service.call('top', { ...oneAsk('unpriced'), throws: false })
  expect(body).toMatchObject({ result: 'done', cost_usd: null })
  expect((await service.session(body.session_id)).cost).toMatchObject({
    cost_usd: null,
    prompt_cost_usd: null,
    completion_cost_usd: null,
    unpriced_calls: 1,
  })

  const mixed = await service.call('top', { ...oneAsk('unpriced'), asks: ['unpriced', 'thrifty'], throws: false })
  expect(mixed.body.cost_usd).toBeGreaterThan(0)
  expect((await service.session(mixed.body.session_id)).cost).toMatchObject({ unpriced_calls: 1 })
  const { data } = (await service.get<CostsAnswer>('/costs?group_by=model')).body
  expect(data).toMatchObject([
    { model: 'mystery', cost_usd: null, unpriced_calls: 2 },
    { model: 'thrifty-1', cost_usd: mixed.body.cost_usd, unpriced_calls: 0 },
  ])
})
