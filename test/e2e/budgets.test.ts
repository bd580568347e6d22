import { join } from 'node:path'
import { setTimeout as thinkFor } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { type Script, type ScriptedProvider, says, status } from '../support/scripted-provider.ts'
import { range } from '../support/session-stores.ts'
import type { CallBody } from './support/client.ts'
import { writePackage } from './support/package.ts'
import { scripted, startService } from './support/service.ts'
import { type SpawnedService, spawnService } from './support/spawned-service.ts'

/** A parent asks its agent, then two sub-tactics at once. A reply without the tag that is wanted is asked for again. */
const files = {
  'prompts/answer.md': '---\nparser:\n  tags:\n    required: [ok]\n---\nSay <ok>.\n',
  'tactics/child.ts': `import { Tactic } from 'lllm'
export default class Child extends Tactic({ name: 'child', agents: ['worker'] }) {
  async call(task) {
    return (await this.agents.worker.open('work').receive(task).respond()).content
  }
}
`,
  'tactics/parent.ts': `import { Tactic } from 'lllm'
import Child from './child.ts'
export default class Parent extends Tactic({ name: 'parent', agents: ['worker'], tactics: { child: Child } }) {
  async call(task) {
    await this.agents.worker.open('plan').receive(task).respond()
    return (await Promise.all([this.tactics.child(task), this.tactics.child(task)])).join('')
  }
}
`,
  ...configs(''),
  'prices.yaml': 'small-1: { input_per_mtok: 0.15, output_per_mtok: 0.6 }\n',
}

function configs(limits: string) {
  const config = `global: { model_name: small-1, max_completion_tokens: 200, max_llm_recall: 9, max_exception_retry: 9 }
agent_configs: [{ name: worker, system_prompt_path: answer }]
${limits}`
  return { 'configs/parent.yaml': config, 'configs/child.yaml': config }
}

const prices = {
  'small-1': { promptPicoPerToken: 150_000, cachedPicoPerToken: 150_000, completionPicoPerToken: 600_000 },
}
/** With this usage a reply costs 105,000,000 pico-USD. */
const usage = { promptTokens: 100, completionTokens: 150 }

/** One of nine requests fails, and one of five replies is of no use. It takes its time, so that many are under way at once. */
function unreliable(thinkingMs: number): Script {
  return async (_request, index) => {
    await thinkFor(thinkingMs)
    if (index % 9 === 4) return status(500)
    return says(index % 5 === 3 ? 'Well.' : '<ok>Yes.</ok>', { usage })
  }
}

const databases = databaseFiles()

async function setUp(limitUsd: number, more: Readonly<Record<string, string>> = {}, thinkingMs = 10) {
  const budgets = `budgets:\n  - { scope: total, limit_usd: ${limitUsd}, per: month }\n  - { scope: { tag: team }, limit_usd: 1, per: month }\n`
  const folder = await writePackage({ ...files, 'budgets.yaml': budgets, ...more })
  const provider = await scripted(unreliable(thinkingMs), { prices })
  const env = { LLLM_PRICES: join(folder, 'prices.yaml'), LLLM_BUDGETS: join(folder, 'budgets.yaml') }
  return { provider, limit: limitUsd * 1e12, spec: { provider, folder, env, database: databases.newPath() } }
}

function expectUsedUp(provider: ScriptedProvider, limit: number) {
  // A bill only grows: what it is at the end, it never was more.
  expect(provider.chargedPicoUsd).toBeLessThanOrEqual(limit)
  expect(provider.chargedPicoUsd).toBeGreaterThanOrEqual(0.9 * limit)
}

interface Budgets {
  readonly data: readonly Readonly<Record<string, unknown>>[]
}

describe('a standing budget', () => {
  test('is used up and never passed by 1,000 calls at once, with sub-tactics and retries', {
    timeout: 60_000,
  }, async () => {
    const { provider, limit, spec } = await setUp(0.1, {}, 300)
    const service = await startService(spec)
    const answers = await Promise.all(range(1_000).map(() => service.call('parent', 'go')))

    expectUsedUp(provider, limit)
    expect(provider.inFlightMax).toBeGreaterThan(50)
    const refused = answers.filter((answer) => answer.status === 402)
    expect(answers.filter((answer) => answer.status === 200).length + refused.length).toBe(1_000)
    const costs = await service.get<{ readonly total: { readonly cost_usd: number } }>('/costs')
    expect(costs.body.total.cost_usd).toBe(provider.chargedPicoUsd / 1e12)
    const { body } = await service.get<Budgets>('/budgets')
    expect(body.data[0]).toMatchObject({
      scope: 'total',
      limit_usd: 0.1,
      spent_usd: provider.chargedPicoUsd / 1e12,
      reserved_usd: 0,
      left_usd: (limit - provider.chargedPicoUsd) / 1e12,
    })

    const { body: problem } = refused[0] as { readonly body: CallBody }
    expect(problem).toMatchObject({
      code: 'budget-exceeded',
      cost_usd: expect.any(Number),
      budget: { name: 'the total budget per month', unit: 'usd', limit: 0.1 },
    })
    expect(await service.session(problem.session_id)).toMatchObject({
      state: 'failure',
      end_reason: 'budget',
      cost: { cost_usd: problem.cost_usd },
      error: { code: 'budget-exceeded', budget: { limit: 0.1 } },
    })
  })

  test('is used up and never passed across a kill -9 under load and a restart', { timeout: 120_000 }, async () => {
    const { provider, limit, spec } = await setUp(0.3)
    const killed = await spawnService(spec)
    const spentAtKill = provider.until(({ chargedPicoUsd }) => chargedPicoUsd > limit / 2)
    void spentAtKill.then(() => killed.kill('SIGKILL'))
    await spendAll(killed, 100)
    expect(await killed.exited).toMatchObject({ signal: 'SIGKILL' })

    const restarted = await spawnService(spec)
    const { body } = await restarted.get<Budgets>('/budgets')
    expect(Number(body.data[0]?.['spent_usd']) * 1e12).toBeGreaterThanOrEqual(provider.chargedPicoUsd)
    await spendAll(restarted, 100)
    expectUsedUp(provider, limit)
  })

  test('is what it was after a clean restart, to the last of it', async () => {
    const { provider, spec } = await setUp(0.01)
    const before = await startService(spec)
    await before.call('parent', 'go', { tags: { team: 'red' } })
    await before.close()
    const after = await startService(spec)
    const { body } = await after.get<Budgets>('/budgets')
    expect(body.data.map(({ spent_usd }) => spent_usd)).toEqual(Array(2).fill(provider.chargedPicoUsd / 1e12))
    expect(body.data[1]).toMatchObject({ tag: 'team', value: null, left_usd: null, values: [{ value: 'red' }] })
  })
})

/** Calls from many callers at once, each until it is refused or the service is gone. */
async function spendAll(service: SpawnedService, callers: number): Promise<void> {
  async function callOn() {
    for (;;) {
      const { status: code } = await service.call('parent', 'go')
      if (code === 402) return
      expect(code).toBe(200)
    }
  }
  const ended = await Promise.allSettled(range(callers).map(callOn))
  for (const { reason } of ended as readonly PromiseRejectedResult[]) {
    if (reason !== undefined) expect(reason).toBeInstanceOf(TypeError)
  }
}

describe('the budget of a request', () => {
  test('ends a call with 402, and says what was spent', async () => {
    const { provider, spec } = await setUp(1)
    const service = await startService(spec)
    const { status: code, body } = await service.call('parent', 'go', { budget_usd: 0.0003 })
    expect(code).toBe(402)
    expect(body).toMatchObject({
      code: 'budget-exceeded',
      retryable: false,
      cost_usd: provider.chargedPicoUsd / 1e12,
      budget: { name: 'the call of "parent"', unit: 'usd', limit: 0.0003 },
    })
    expect(provider.chargedPicoUsd).toBeLessThanOrEqual(0.0003 * 1e12)
  })

  test('is that of a whole batch', async () => {
    const { provider, spec } = await setUp(1)
    const service = await startService(spec)
    const { status: code, body } = await service.batch('parent', range(50).map(String), {
      budget_usd: 0.01,
      max_workers: 20,
    })
    expect(code).toBe(200)
    expectUsedUp(provider, 0.01 * 1e12)
    expect(body.cost_usd).toBe(provider.chargedPicoUsd / 1e12)
    const refused = body.items.filter(({ status: ended }) => ended === 'failure')
    expect(new Set(refused.map(({ error }) => error?.code))).toEqual(new Set(['budget-exceeded']))
  })

  test('refuses a model whose price nobody knows, before anything is sent', async () => {
    const { provider, spec } = await setUp(1, { 'prices.yaml': '{}\n' })
    const service = await startService(spec)
    expect(await service.call('child', 'go')).toMatchObject({
      status: 402,
      body: { code: 'unpriced-model', cost_usd: 0 },
    })
    expect(provider.requests).toHaveLength(0)
  })

  test.each([0, -1, 1e7, '1'])('has to make sense: %j', async (budget_usd) => {
    const { spec } = await setUp(1)
    const service = await startService(spec)
    expect(await service.call('child', 'go', { budget_usd })).toMatchObject({
      status: 422,
      body: { code: 'invalid-request', errors: [{ pointer: '/budget_usd' }] },
    })
  })
})

describe('the limits of a config', () => {
  test.each([
    ['limits: { llm_calls: 1 }', 'llm_calls'],
    ['limits: { tokens: 500 }', 'tokens'],
    ['limits: { budget_usd: 0.0003 }', 'usd'],
    ['limits: { depth: 0 }', 'depth'],
  ])('end a call with 402: %s', async (limits, unit) => {
    const { spec } = await setUp(1, configs(limits))
    const service = await startService(spec)
    expect(await service.call('parent', 'go')).toMatchObject({
      status: 402,
      body: { code: 'budget-exceeded', budget: { unit, name: 'the call of "parent"' } },
    })
  })
})

test('a mistake in the file of budgets stops the start, and a tactic that is not there is warned of', async () => {
  const { spec } = await setUp(0)
  await expect(startService(spec)).rejects.toMatchObject({
    code: 'invalid-settings',
    message: expect.stringContaining('/budgets/0/limit_usd'),
  })
  const other = await setUp(1, { 'budgets.yaml': 'budgets: [{ scope: { tactic: parnt }, limit_usd: 1, per: day }]\n' })
  const service = await startService(other.spec)
  expect(service.runtime.warnings).toEqual([expect.stringContaining('there is no tactic "parnt"')])
})
