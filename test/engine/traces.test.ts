import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { callsTool, fails, saysJson } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { Ask, doing } from '../support/ask.ts'
import { house } from '../support/house.ts'
import { recordTraces } from '../support/recorded-traces.ts'

const AskFact = doing((writer) =>
  writer
    .open('talk')
    .receive('A fact.')
    .respondAs(z.object({ fact: z.string() })),
)

describe('in a trace', () => {
  test('a recall is a part of the request that it repeats, and another model is asked in a request of its own', async () => {
    const { tracing, ended, attributesOf } = recordTraces()
    const { call } = house({
      tactics: [Ask],
      tracing,
      model: [fails('failed'), fails('rate-limited'), fails('failed'), says('Here.')],
      global: { max_llm_recall: 1, fallback_models: ['second'] },
    })
    expect(await call('hello')).toBe('Here.')
    expect(ended()).toEqual([
      ['chat test-model', ['lllm.recall']],
      ['chat second', ['lllm.recall']],
      ['invoke_agent writer', ['lllm.fallback']],
      ['invoke_workflow ask', []],
    ])
    expect(attributesOf('chat test-model')).toMatchObject([{ 'error.type': 'rate-limited' }])
    expect(attributesOf('chat second')[0]).not.toHaveProperty('error.type')
  })

  test('a reply that is sent back is followed by a request of its own', async () => {
    const { tracing, ended, attributesOf } = recordTraces()
    const { call } = house({ tactics: [AskFact], tracing, model: [says('no JSON'), saysJson({ fact: 'bees' })] })
    await call('go')
    expect(ended()).toEqual([
      ['chat test-model', []],
      ['chat test-model', []],
      ['invoke_agent writer', ['lllm.retry']],
      ['invoke_workflow doing', []],
    ])
    expect(attributesOf('chat test-model')).toMatchObject([1, 2].map(() => ({ 'gen_ai.output.type': 'json' })))
  })

  test('what was never sent is no request', async () => {
    const { tracing, ended, attributesOf } = recordTraces()
    const { session } = house({ tactics: [Ask], tracing, limits: { llm_calls: 0 } })
    await session('hello')
    expect(ended()).toEqual([
      ['invoke_agent writer', []],
      ['invoke_workflow ask', []],
    ])
    expect(attributesOf('invoke_workflow ask')).toMatchObject([
      { 'error.type': 'budget-exceeded', 'lllm.session.state': 'failure', 'lllm.session.cost.usd': 0 },
    ])
  })

  test('a tool that there is not is no call of a tool', async () => {
    const { tracing, ended } = recordTraces()
    const { call } = house({ tactics: [Ask], tracing, model: [callsTool('nothing', {}), says('Sorry.')] })
    await call('hello')
    expect(ended().map(([name]) => name)).toEqual([
      'chat test-model',
      'chat test-model',
      'invoke_agent writer',
      'invoke_workflow ask',
    ])
  })

  test('a model without a price has no cost, and says so', async () => {
    const { tracing, attributesOf } = recordTraces()
    const { call } = house({ tactics: [Ask], tracing, global: { model_name: 'priceless' } })
    await call('hello')
    const [chat] = attributesOf('chat priceless')
    expect(chat).toMatchObject({ 'lllm.unpriced_calls': 1 })
    expect(chat).not.toHaveProperty('lllm.cost.usd')
  })
})
