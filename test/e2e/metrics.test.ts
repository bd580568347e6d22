import { describe, expect, test, vi } from 'vitest'
import { type Exposition, readExposition } from '../support/exposition.ts'
import { callsTool, type ProviderRequest, type Script, says, status } from '../support/scripted-provider.ts'
import { writePackage } from './support/package.ts'
import { providerKey, scripted, startService, type TestService } from './support/service.ts'

/** `ask` passes its task on to an agent with a tool; `chief` asks by way of `ask`. */
const files = {
  'prompts/desk.ts': `import { definePrompt, defineTool, tagParser } from 'lllm'
import { z } from 'zod'
const lookup = defineTool({ name: 'lookup', description: 'Looks up.', args: z.object({}), run: () => 'found' })
const parser = tagParser({ tags: { required: ['ok'] } })
export default definePrompt({ template: 'Say <ok>.', tools: [lookup], parser })
`,
  'tactics/ask.ts': `import { Tactic } from 'lllm'
export default class Ask extends Tactic({ name: 'ask', agents: ['clerk'] }) {
  async call(task) {
    return (await this.agents.clerk.open('desk').receive(task).respond()).content
  }
}
`,
  'tactics/chief.ts': `import { Tactic } from 'lllm'
import Ask from './ask.ts'
export default class Chief extends Tactic({ name: 'chief', tactics: { ask: Ask } }) {
  async call(task) {
    return this.tactics.ask(task)
  }
}
`,
  'configs/ask.yaml': `global: { model_name: small-1, max_completion_tokens: 200, max_llm_recall: 1 }
agent_configs: [{ name: clerk, system_prompt_path: desk }]
`,
  'configs/chief.yaml': 'tactic_type: chief\n',
  'prices.yaml': 'small-1: { input_per_mtok: 0.15, output_per_mtok: 0.6 }\n',
}

const prices = {
  'small-1': { promptPicoPerToken: 150_000, cachedPicoPerToken: 150_000, completionPicoPerToken: 600_000 },
}
/** With this usage a reply costs 31,050,000 pico-USD, which no floating-point number of USD is. */
const usage = { promptTokens: 103, completionTokens: 26, reasoningTokens: 5 }

/** What the model does is what it is asked to do. It changes its mind when it is asked again. */
function obey(): Script {
  const seen = new Set<string>()
  return ({ lastText }: ProviderRequest) => {
    const isFirst = !seen.has(lastText)
    seen.add(lastText)
    if (lastText === 'refuse') return status(400)
    if (lastText === 'fail once' && isFirst) return status(500)
    if (lastText === 'mumble once' && isFirst) return says('Well.', { usage })
    if (lastText === 'look up') return callsTool('lookup', {}, { usage })
    return says('<ok>Yes, SECRET word.</ok>', { usage })
  }
}

async function open(env: Readonly<Record<string, string>> = {}) {
  const folder = await writePackage(files)
  const provider = await scripted(obey(), { prices })
  const service = await startService({ provider, folder, env: { LLLM_PRICES: `${folder}/prices.yaml`, ...env } })
  return { provider, service }
}

/** The figures once so many requests have been logged, and with that counted. */
async function scrape(service: TestService, requestCount: number): Promise<Exposition> {
  await vi.waitFor(() => expect(service.logLines.filter(({ msg }) => msg === 'request')).toHaveLength(requestCount))
  const { status: code, headers, text } = await service.get('/metrics')
  expect(code).toBe(200)
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  return readExposition(text)
}

describe('the figures of a service', () => {
  test('are those of its story, to the last token and pico-dollar', async () => {
    const { provider, service } = await open()
    const answers = [
      await service.call('ask', 'plainly'),
      await service.call('ask', 'fail once'),
      await service.call('ask', 'mumble once'),
      await service.call('ask', 'refuse'),
      await service.call('ask', 'look up'),
      await service.call('chief', 'plainly'),
      await service.call('chief', 'plainly', { budget_usd: 0.000001 }),
      await service.batch('ask', ['one', 'two', 'three'], { max_workers: 2 }),
      await service.call('nobody', 'plainly'),
    ]
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 502, 200, 200, 402, 200, 404])
    const { body: run } = await service.post<{ readonly id: string }>('/tactics/ask/runs', { task: 'later' })
    await service.get(`/runs/${run.id}/wait?timeout_ms=20000`)
    const figures = await scrape(service, 11)

    expect(figures.valuesOf('lllm_http_requests_total')).toEqual({
      '/tactics/:name POST 200': 5,
      '/tactics/:name POST 402': 1,
      '/tactics/:name POST 404': 1,
      '/tactics/:name POST 502': 1,
      '/tactics/:name/batch POST 200': 1,
      '/tactics/:name/runs POST 202': 1,
      '/runs/:id/wait GET 200': 1,
    })
    expect(figures.valuesOf('lllm_calls_total')).toEqual({
      'ask success': 8,
      'ask failure': 1,
      'chief success': 1,
      'chief failure': 1,
    })
    expect(figures.valuesOf('lllm_call_failures_total')).toEqual({
      'ask provider-rejected': 1,
      'chief budget-exceeded': 1,
    })
    expect(figures.valuesOf('lllm_sub_calls_total')).toEqual({ 'ask success': 1, 'ask failure': 1 })
    expect(figures.valuesOf('lllm_budget_refusals_total')).toEqual({ 'ask usd': 1 })
    expect(figures.valuesOf('lllm_calls_in_flight')).toEqual({ '': 0 })
    expect(figures.valuesOf('lllm_llm_calls_total')).toEqual({
      'ask clerk small-1 ok': 11,
      'ask clerk small-1 failed': 1,
      'ask clerk small-1 rejected': 1,
    })
    expect(figures.valuesOf('lllm_retries_total')).toEqual({ 'small-1 recall': 1, 'small-1 exception': 1 })
    expect(figures.valuesOf('lllm_tool_calls_total')).toEqual({ 'ask ok': 1 })
    expect(figures.valuesOf('lllm_tokens_total')).toEqual({
      'ask clerk small-1 prompt': 11 * 103,
      'ask clerk small-1 completion': 11 * 26,
      'ask clerk small-1 reasoning': 11 * 5,
    })
    expect(provider.chargedPicoUsd).toBe(11 * 31_050_000)
    expect(figures.valuesOf('lllm_cost_usd_total')).toEqual({ 'ask clerk small-1': provider.chargedPicoUsd / 1e12 })
    expect(figures.valuesOf('lllm_unpriced_calls_total')).toEqual({})
    expect(figures.valuesOf('lllm_run_attempts_total')).toEqual({ ended: 1, released: 0, fenced: 0 })
    expect(figures.valuesOf('lllm_runs')).toEqual({ queued: 0, running: 0 })
    expect(figures.valuesOf('lllm_sessions_unsaved')).toEqual({ '': 0 })
    expect(figures.valuesOf('lllm_llm_calls_in_flight')).toEqual({ 'openai small-1': 0 })
    expect(figures.valuesOf('lllm_provider_circuit_open')).toEqual({ 'openai small-1': 0 })
    const stored = figures.samples.filter(({ name }) => name === 'lllm_store_operation_duration_seconds_count')
    expect(stored.find(({ labels }) => labels['operation'] === 'sessions.save')).toMatchObject({
      labels: { outcome: 'ok' },
      value: 10,
    })
  })

  test('hold no id, no text of a call, and no secret', async () => {
    const { service } = await open()
    const tags = { customer: 'tag-of-a-customer' }
    const { body } = await service.call('ask', 'the words of a task', { tags })
    await service.get(`/sessions/${body.session_id}?secret=of-a-query`)
    await service.get('/nowhere-that-exists')
    await vi.waitFor(() => expect(service.logLines).toHaveLength(3))
    const { text } = await service.get('/metrics')
    expect(text).not.toContain(body.session_id)
    expect(text).not.toMatch(/SECRET|words of a task|tag-of-a-customer|of-a-query|nowhere/)
    expect(text).not.toContain(providerKey)
    expect(text).toContain('lllm_http_requests_total{route="/sessions/:id",method="GET",status="200"} 1')
    expect(text).toContain('lllm_http_requests_total{route="unmatched",method="GET",status="404"} 1')
  })

  test('are given to Prometheus, in whatever format it would like best', async () => {
    const { service } = await open()
    const accept =
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
    const answer = await fetch(`${service.url}/metrics`, { headers: { accept } })
    expect(answer.status).toBe(200)
    const { types } = readExposition(await answer.text())
    expect([...types.keys()]).toEqual(expect.arrayContaining(['nodejs_eventloop_lag_p99_seconds', 'process_open_fds']))
  })

  test('are neither counted nor told where they are off', async () => {
    const { service } = await open({ LLLM_METRICS: 'off' })
    expect((await service.call('ask', 'plainly')).status).toBe(200)
    expect((await service.get('/metrics')).body).toMatchObject({ code: 'route-not-found' })
    expect(service.runtime.metrics).toBeUndefined()
  })
})

test('a request, its line in the log, its session and its trace are found by the ids of each other', async () => {
  const { service } = await open()
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const headers = { 'content-type': 'application/json', traceparent: `00-${traceId}-b7ad6b7169203331-01` }
  const idsOf = async (path: string) => {
    const body = JSON.stringify({ task: 'plainly' })
    const answer = await fetch(service.url + path, { method: 'POST', headers, body })
    await answer.text()
    const requestId = answer.headers.get('x-request-id')
    return vi.waitFor(() => {
      const line = service.logLines.find((logged) => logged['request_id'] === requestId && logged['msg'] === 'request')
      expect(line).toMatchObject({ trace_id: traceId, tactic: 'ask', session_id: expect.any(String) })
      return String(line?.['session_id'])
    })
  }
  for (const path of ['/tactics/ask', '/tactics/ask/stream', '/tactics/ask/runs']) {
    const sessionId = await idsOf(path)
    await service.get(`/runs/${sessionId}/wait?timeout_ms=20000`)
    expect(await service.session(sessionId)).toMatchObject({ id: sessionId, tactic: 'ask', state: 'success' })
  }
})
