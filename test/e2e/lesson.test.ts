import { describe, expect, test } from 'vitest'
import { costUsd } from '../../src/domain/cost.ts'
import { summaryOf } from '../../src/index.ts'
import PipelineTactic from '../../tactics/pipeline.ts'
import ResearchTactic from '../../tactics/researcher.ts'
import SummarizerTactic from '../../tactics/summarizer.ts'
import { createGate, type Script, says, status } from '../support/scripted-provider.ts'
import { conversations, replyUsd, serve, usage } from './support/service.ts'

// Every example of the lesson, by its headings; `lesson-variants` goes on. The provider is scripted, all else is real.

describe('defining, configuring and calling a tactic', () => {
  const instructions = 'developer: You are a concise technical writer.'

  test('summarizer asks its writer once, with the arguments of its config', async () => {
    const { provider, service } = await serve(['- Bees hum.'])
    const { status: answered, body } = await service.call('summarizer', 'Large bodies of text …')
    expect({ answered, body }).toMatchObject({ answered: 200, body: { result: '- Bees hum.' } })
    expect(conversations(provider)).toEqual([
      [instructions, 'user: Summarize this text in 3 bullet points:\n\nLarge bodies of text …'],
    ])
    expect(provider.requests[0]?.path).toBe('/v1/chat/completions')
    expect(provider.requests[0]?.body).toEqual({
      model: 'gpt-4o',
      temperature: 0.2,
      max_completion_tokens: 1000,
      messages: expect.any(Array),
    })
  })

  test('tactic = SummarizerTactic(config); tactic(task)', async () => {
    const { provider, service } = await serve(['- From code.'])
    const tactic = service.runtime.build(SummarizerTactic, {
      tactic_type: 'summarizer',
      global: { model_name: 'gpt-4o', model_args: { temperature: 0.2 } },
      agent_configs: [
        {
          name: 'writer',
          system_prompt: 'You are a concise technical writer.',
          model_args: { max_completion_tokens: 1000 },
        },
      ],
    })
    expect(await tactic('Large bodies of text …')).toBe('- From code.')
    expect(provider.requests[0]?.body).toMatchObject({ temperature: 0.2, max_completion_tokens: 1000 })
  })

  test("an agent's model_args go before the global ones, key by key", async () => {
    const { provider, service } = await serve(['one', 'two'])
    const tactic = service.runtime.build('researcher', {
      global: { model_name: 'gpt-4o', model_args: { temperature: 0.2, seed: 7 } },
      agent_configs: [
        { name: 'finder', system_prompt: 'Find.', model_args: { temperature: 0.9, max_completion_tokens: 50 } },
        { name: 'synthesizer', system_prompt: 'Write.', model_name: 'gpt-4.1-mini' },
      ],
    })
    await tactic('bees')
    const sent = provider.requests.map(({ body: { messages: _, ...args } }) => args)
    expect(sent).toEqual([
      { model: 'gpt-4o', temperature: 0.9, seed: 7, max_completion_tokens: 50 },
      { model: 'gpt-4.1-mini', temperature: 0.2, seed: 7 },
    ])
  })
})

describe('a multi-agent tactic', () => {
  test('researcher passes the facts of the first agent on to the second', async () => {
    const { provider, service } = await serve(['1. Qubits.', 'Qubits compute.'])
    expect((await service.call('researcher', 'quantum computing')).body.result).toBe('Qubits compute.')
    expect(conversations(provider)).toEqual([
      ['developer: You gather accurate factual information.', 'user: List 5 key facts about: quantum computing'],
      ['developer: You write clear, concise summaries.', 'user: Facts:\n1. Qubits.\n\nWrite a short paragraph.'],
    ])
  })
})

describe('session tracking', () => {
  const script: Script = [says('1. Qubits.', { usage }), says('Qubits compute.', { usage })]

  test('return_session gives the session beside the result, and it is kept', async () => {
    const { service } = await serve(script)
    const { body } = await service.call('researcher', 'quantum computing', { return_session: true })
    expect(body).toMatchObject({ result: 'Qubits compute.', cost_usd: 2 * replyUsd })
    expect(body.session).toMatchObject({
      id: body.session_id,
      state: 'success',
      task: 'quantum computing',
      agent_call_count: 2,
      llm_call_count: 2,
      cost: { cost_usd: 2 * replyUsd, prompt_tokens: 2_000, completion_tokens: 200, unpriced_calls: 0 },
      agent_calls: [
        { agent: 'finder', dialog: 'gather', delivery: { content: '1. Qubits.' }, cost: { cost_usd: replyUsd } },
        { agent: 'synthesizer', dialog: 'synthesize', delivery: { content: 'Qubits compute.' } },
      ],
    })
    expect(await service.session(body.session_id)).toEqual(body.session)
  })

  test('its summary is compact', async () => {
    const { service } = await serve(script)
    const { body } = await service.call('researcher', 'quantum computing', { return_session: 'summary' })
    expect(body.session).toEqual({
      id: body.session_id,
      tactic: 'researcher',
      state: 'success',
      agent_calls: 2,
      sub_tactic_calls: 0,
      llm_calls: 2,
      total_cost: 2 * replyUsd,
      duration_ms: expect.any(Number),
    })
  })

  test('tactic(task, return_session=True) in code', async () => {
    const { service } = await serve(script)
    const { session } = await service.runtime.build(ResearchTactic).session('quantum computing')
    expect(session.state).toBe('success')
    expect(costUsd(session.cost)).toBe(2 * replyUsd)
    expect(session.agentCalls).toHaveLength(2)
    expect(summaryOf(session)).toMatchObject({ tactic: 'researcher', agent_calls: 2, total_cost: 2 * replyUsd })
  })

  test('a call that fails is kept too, with what it cost up to then', async () => {
    const { service } = await serve([says('1. Qubits.', { usage }), status(400)])
    const failed = await service.call('researcher', 'quantum computing')
    expect(failed).toMatchObject({ status: 502, body: { code: 'provider-rejected', cost_usd: replyUsd } })
    expect(await service.session(failed.body.session_id)).toMatchObject({
      state: 'failure',
      result: null,
      error: { code: 'provider-rejected' },
      cost: { cost_usd: replyUsd },
      agent_calls: [{ state: 'success' }, { state: 'failure', delivery: null }],
    })
  })
})

describe('sub-tactic composition', () => {
  const script: Script = ['1. Qubits.', 'Qubits compute.', '1. Buy one.'].map((text) => says(text, { usage }))

  test("pipeline calls the researcher, whose session and cost become a part of the pipeline's own", async () => {
    const { provider, service } = await serve(script)
    const { body } = await service.call('pipeline', 'quantum computing', { return_session: true })
    expect(body).toMatchObject({ result: '1. Buy one.', cost_usd: 3 * replyUsd })
    expect(conversations(provider).map(([, user]) => user)).toEqual([
      'user: List 5 key facts about: quantum computing',
      'user: Facts:\n1. Qubits.\n\nWrite a short paragraph.',
      'user: Based on this research:\nQubits compute.\n\nCreate an action plan.',
    ])
    expect(body.session).toMatchObject({
      tactic: 'pipeline',
      agent_call_count: 1,
      sub_tactic_call_count: 1,
      llm_call_count: 3,
      sub_sessions: [
        {
          tactic: 'researcher',
          tactic_id: 'examples::researcher',
          state: 'success',
          result: 'Qubits compute.',
          agent_call_count: 2,
          cost: { cost_usd: 2 * replyUsd },
        },
      ],
    })
    expect((await service.get<{ readonly data: object[] }>('/sessions')).body.data).toHaveLength(1)
  })

  test("PipelineTactic(config) hands its config down, where that has the researcher's agents as well", async () => {
    const { provider, service } = await serve(script)
    const tactic = service.runtime.build(PipelineTactic, {
      global: { model_name: 'gpt-4o' },
      agent_configs: ['finder', 'synthesizer', 'coordinator'].map((name) => ({ name, system_prompt: `I am ${name}.` })),
    })
    expect(await tactic('quantum computing')).toBe('1. Buy one.')
    expect(conversations(provider).map(([instructions]) => instructions)).toEqual([
      'developer: I am finder.',
      'developer: I am synthesizer.',
      'developer: I am coordinator.',
    ])
  })
})

describe('batch and async execution', () => {
  const tasks = ['topic A', 'topic B', 'topic C', 'topic D']
  const topicOf = (text: string) => /topic ./.exec(text)?.[0]
  const summarize: Script = ({ lastText }) => `About ${topicOf(lastText)}.`
  const results = tasks.map((topic) => `About ${topic}.`)

  test('bcall: the results of a batch are in the order of its tasks', async () => {
    const { provider, service } = await serve(summarize)
    const overHttp = await service.batch('summarizer', tasks, { max_workers: 4 })
    expect(overHttp.body.items.map(({ result }) => result)).toEqual(results)
    expect(overHttp.body.counts).toEqual({ success: 4, failure: 0, cancelled: 0, skipped: 0 })
    const inCode = await service.runtime.build(SummarizerTactic).batch(tasks, { maxWorkers: 4 })
    expect(inCode).toEqual(results.map((result, index) => ({ index, status: 'success', result })))
    expect(provider.requests).toHaveLength(8)
  })

  test('acall: every call is async', async () => {
    const { service } = await serve(['- One.'])
    expect(await service.runtime.build(SummarizerTactic)('single async task')).toBe('- One.')
  })

  test('ccall: results come as they complete, with the index of their task', async () => {
    const first = createGate()
    const { service } = await serve(async (request, index) => {
      if (topicOf(request.lastText) === 'topic A') await first.opened
      return summarize(request, index)
    })
    const order: number[] = []
    for await (const { index } of service.runtime.build(SummarizerTactic).asCompleted(tasks, { maxWorkers: 4 })) {
      order.push(index)
      if (order.length === 3) first.open()
    }
    expect(order.toSorted()).toEqual([0, 1, 2, 3])
    expect(order.at(-1)).toBe(0)
  })
})
