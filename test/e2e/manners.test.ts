import { describe, expect, test, vi } from 'vitest'
import { cutSocket, type ScriptedProvider, type ScriptLine, says, status } from '../support/scripted-provider.ts'
import { writePackage } from './support/package.ts'
import { replyUsd, scripted, startService, type TestService, usage } from './support/service.ts'

const crowdSize = 200

/**
 * Chance is 0 in these tests, so that recalls are sent at once: up to nine go before the tenth failure opens the circuit. Then
 * there are the probes.
 */
const recallsAndProbesMax = 15

const limited = status(429, { headers: { 'retry-after': '1' } })
const fine = says('- Bees hum.', { usage })

/** A provider that answers as `reply.now` says at the time, and notes down when it was asked, in ms. */
async function moodyProvider(now: ScriptLine) {
  const reply = { now }
  const askedAtMs: number[] = []
  const provider = await scripted(() => {
    askedAtMs.push(performance.now())
    return reply.now
  })
  return { provider, reply, askedAtMs }
}

const callAll = (service: TestService, more = {}) =>
  Promise.all(Array.from({ length: crowdSize }, () => service.call('summarizer', 'Bees hum.', more)))

/** How many requests there are in the fullest second. */
function fullestSecond(timesMs: readonly number[]): number {
  return Math.max(0, ...timesMs.map((from) => timesMs.filter((time) => time >= from && time < from + 1_000).length))
}

function countBy(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1
  return counts
}

describe('a provider that answers 429 to everything', () => {
  test('for ten seconds gets no storm: a crowd once, then hardly a request a second; then everybody is answered', async () => {
    const { provider, reply, askedAtMs } = await moodyProvider(limited)
    const service = await startService({ provider })
    const startedAtMs = performance.now()
    const calls = callAll(service)
    await provider.until(() => performance.now() - startedAtMs >= 10_000)
    reply.now = fine
    const refusedCount = askedAtMs.length
    const answers = await calls

    expect(countBy(answers.map(({ status: answered }) => answered))).toEqual({ 200: crowdSize })
    // What was on its way when the first 429 came; then nobody before the second is over, and then one or two, each second:
    // a few more where this process is late. A storm would be the whole crowd.
    const refusedAtMs = askedAtMs.slice(0, refusedCount).map((askedMs) => askedMs - startedAtMs)
    expect(refusedAtMs.filter((time) => time < 1_000).length).toBeLessThanOrEqual(crowdSize)
    expect(fullestSecond(refusedAtMs.filter((time) => time >= 1_000))).toBeLessThanOrEqual(crowdSize / 10)
    expect(refusedAtMs.filter((time) => time >= 1_000).length).toBeLessThanOrEqual(crowdSize / 4)
    expect(provider.requests).toHaveLength(refusedCount + crowdSize)
    expect(answers.reduce((sum, { body }) => sum + (body.cost_usd ?? 0), 0)).toBeCloseTo(crowdSize * replyUsd, 9)
  }, 40_000)

  test('for longer than a call may take ends the call in its time', async () => {
    const { provider } = await moodyProvider(limited)
    const service = await startService({ provider })
    const answers = await callAll(service, { timeout_ms: 1_500 })
    const codes = countBy(answers.map(({ body }) => body.code))
    expect((codes['deadline-exceeded'] ?? 0) + (codes['provider-rate-limited'] ?? 0)).toBe(crowdSize)
    expect(provider.requests.length).toBeLessThanOrEqual(crowdSize + 5)
    // What was not sent cost nothing, and nor did what was refused.
    for (const { body } of answers.slice(0, 10)) {
      expect(await service.session(body.session_id)).toMatchObject({ cost: { cost_usd: 0, unpriced_calls: 0 } })
    }
  })
})

describe('a provider that is dead', () => {
  test.each([
    ['that cuts every socket', cutSocket()],
    ['that answers 500', status(500)],
  ])('%s is asked by the crowd once, and then by a probe', async (_case, dead) => {
    const { provider } = await moodyProvider(dead)
    const service = await startService({ provider })
    const answers = await callAll(service)
    expect(countBy(answers.map(({ body }) => body.code))).toEqual({ 'provider-failed': crowdSize })
    // Two recalls each would be 600 requests.
    expect(provider.requests.length).toBeLessThanOrEqual(crowdSize + recallsAndProbesMax)
  })

  test('is found out by ten requests where a limit keeps the crowd back; the session shows what was not sent', async () => {
    const { provider } = await moodyProvider(status(502))
    const service = await startService({ provider, env: { LLLM_PROVIDER_CONCURRENCY: '4' } })
    const answers = await callAll(service)
    expect(countBy(answers.map(({ status: answered }) => answered))).toEqual({ 502: crowdSize })
    expect(provider.requests.length).toBeLessThanOrEqual(10 + recallsAndProbesMax)

    const sessions = await Promise.all(answers.map(({ body }) => service.session(body.session_id)))
    const calls = sessions.flatMap(({ agent_calls }) => agent_calls.flatMap(({ llm_calls }) => llm_calls))
    const counts = countBy(calls.map(({ error }) => error?.code))
    expect(counts).toEqual({ failed: provider.requests.length, 'not-sent': calls.length - provider.requests.length })
    expect(sessions.reduce((sum, { llm_call_count }) => sum + llm_call_count, 0)).toBe(provider.requests.length)
  })

  test('is asked again when it has recovered, and then answers everybody', async () => {
    const { provider, reply } = await moodyProvider(cutSocket())
    const service = await startService({ provider })
    await callAll(service)
    const whenDead = provider.requests.length
    const refused = await service.call('summarizer', 'Bees hum.', { timeout_ms: 500 })
    expect(refused).toMatchObject({ status: 502, body: { code: 'provider-failed', retryable: true } })
    expect(provider.requests).toHaveLength(whenDead)

    reply.now = fine
    await vi.waitFor(async () => expect((await service.call('summarizer', 'Bees hum.')).status).toBe(200), 10_000)
    const answers = await callAll(service)
    expect(countBy(answers.map(({ status: answered }) => answered))).toEqual({ 200: crowdSize })
  })
})

describe('fallback_models', () => {
  const config = (other: ScriptedProvider) => `tactic_type: ask
invokers:
  spare: { base_url: '${other.url}' }
global:
  model_name: gpt-4o
  fallback_models: [{ model_name: gpt-4o-mini, invoker: spare }]
agent_configs: [{ name: writer, system_prompt: You write. }]
`
  const tactic = `import { Tactic } from 'lllm'
export default class Ask extends Tactic({ name: 'ask', agents: ['writer'] }) {
  async call(task: string) {
    return (await this.agents.writer.open('talk').receive(task).respond()).content
  }
}
`

  test('answer when the model is dead, at once while its circuit is open, and are priced and recorded as themselves', async () => {
    const { provider } = await moodyProvider(status(500))
    const { provider: spare } = await moodyProvider(says('Here.', { usage }))
    const folder = await writePackage({ 'configs/ask.yaml': config(spare), 'tactics/ask.ts': tactic })
    const service = await startService({ provider, folder })

    const tasks = Array.from({ length: crowdSize }, (_, index) => `task ${index}`)
    const { body: batch } = await service.batch('ask', tasks, { max_workers: crowdSize })
    expect(batch.counts).toMatchObject({ success: crowdSize })
    expect(provider.requests.length).toBeLessThanOrEqual(crowdSize + recallsAndProbesMax)
    expect(spare.requests).toHaveLength(crowdSize)

    const whenOpen = provider.requests.length
    const { body } = await service.call('ask', 'one more', { return_session: true })
    expect(provider.requests).toHaveLength(whenOpen)
    expect(body).toMatchObject({ result: 'Here.', cost_usd: 0.00021 })
    expect(body.session?.agent_calls).toMatchObject([
      {
        llm_calls: [
          { attempt: 0, invoker: 'openai', model: 'gpt-4o', error: { code: 'not-sent' }, cost: { cost_usd: 0 } },
          { attempt: 1, invoker: 'spare', model: 'gpt-4o-mini', error: null },
        ],
        retries: [{ kind: 'fallback', step: 0, waited_ms: 0 }],
      },
    ])
    expect(body.session?.llm_call_count).toBe(1)
  })
})

describe('a limit of requests in a minute', () => {
  test('holds calls back, and one whose client goes away meanwhile is never sent and costs nothing', async () => {
    const { provider } = await moodyProvider(fine)
    const service = await startService({ provider, env: { LLLM_PROVIDER_REQUESTS_PER_MINUTE: '1' } })
    expect((await service.call('summarizer', 'Bees hum.')).status).toBe(200)

    const controller = new AbortController()
    const given = service.call('summarizer', 'Bees hum.', {}, controller.signal)
    controller.abort()
    await expect(given).rejects.toThrow()
    const held = await service.call('summarizer', 'Bees hum.', { timeout_ms: 200 })
    expect(held).toMatchObject({ status: 504, body: { code: 'deadline-exceeded', cost_usd: 0 } })
    expect(await service.session(held.body.session_id)).toMatchObject({
      state: 'cancelled',
      llm_call_count: 0,
      cost: { cost_usd: 0, unpriced_calls: 0 },
      agent_calls: [{ llm_calls: [{ error: { code: 'not-sent' }, usage: null }] }],
    })
    expect(provider.requests).toHaveLength(1)
  })
})
