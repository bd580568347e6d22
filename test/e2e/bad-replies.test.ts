import { describe, expect, test } from 'vitest'
import { callsTool, callsTools, json, type Script, type ScriptedProvider, says } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { conversations, replyUsd, serve, usage } from './support/service.ts'

describe('a reply that has to be JSON', () => {
  const files = {
    'configs/extract.yaml': config('extract', { reader: 'You extract data.' }),
    'tactics/extract.ts': `import { Tactic } from 'lllm'
import { z } from 'zod'
const Person = z.object({ name: z.string(), age: z.int().min(0) })
export default class Extract extends Tactic({ name: 'extract', agents: ['reader'], output: Person }) {
  async call(task: string) {
    const { reader } = this.agents
    reader.open('main').receive(task)
    const person = await reader.respondAs(Person)
    await reader.receive('Thank you. Anything else?').respond()
    return person
  }
}
`,
  }
  const serveExtract = async (script: Script) => serve(script, { folder: await writePackage(files) })
  const ada = { name: 'Ada', age: 36 }
  const start = ['developer: You extract data.', 'user: Ada is 36.']

  test('and is prose, then does not fit, is complained about until it is right; the dialog forgets that', async () => {
    const { provider, service } = await serveExtract([
      says('Ada is 36 years old.', { usage }),
      json({ name: 'Ada', age: 'thirty-six' }, { usage }),
      json(ada, { usage }),
      says('No.', { usage }),
    ])
    const { body } = await service.call('extract', 'Ada is 36.', { return_session: true })
    expect(body).toMatchObject({ result: ada, cost_usd: 4 * replyUsd })

    const [first, second, third, last] = conversations(provider)
    expect(first).toEqual(start)
    expect(second?.slice(2)).toEqual([
      'assistant: Ada is 36 years old.',
      expect.stringMatching(/^user: Your reply could not be used: It is not JSON\./),
    ])
    expect(third?.slice(4)).toEqual([
      'assistant: {"name":"Ada","age":"thirty-six"}',
      expect.stringMatching(/^user: Your reply could not be used: The JSON does not fit the schema\. \/age: /),
    ])
    expect(last).toEqual([...start, `assistant: ${JSON.stringify(ada)}`, 'user: Thank you. Anything else?'])

    expect(body.session?.agent_calls[0]).toMatchObject({
      llm_calls: [0, 1, 2].map((attempt) => ({ step: 0, attempt, error: null, cost: { cost_usd: replyUsd } })),
      retries: [{ kind: 'exception' }, { kind: 'exception' }],
      delivery: { content: JSON.stringify(ada) },
    })
  })

  test('in a fence is taken for what it is', async () => {
    const { service } = await serveExtract([`\`\`\`json\n${JSON.stringify(ada)}\n\`\`\``, 'No.'])
    expect((await service.call('extract', 'Ada is 36.')).body.result).toEqual(ada)
  })

  test('and was cut off is told so', async () => {
    const { provider, service } = await serveExtract([says('{"name":"A', { finishReason: 'length' }), json(ada), 'No.'])
    expect((await service.call('extract', 'Ada is 36.')).status).toBe(200)
    expect(provider.requests[1]?.lastText).toContain('It was cut off, because it was too long.')
  })

  test.each([
    ['prose', 'Ada is 36.'],
    ['JSON that does not fit', '{"name":7}'],
    ['JSON with more than a value', '{"name":"Ada","age":36} {"name":"Eve","age":1}'],
    ['bottomless JSON', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ])('and is %s for ever ends in a problem, with its cost', async (_name, text) => {
    const { provider, service } = await serveExtract(() => says(text, { usage }))
    const answer = await service.call('extract', 'Ada is 36.')
    expect(answer).toMatchObject({
      status: 502,
      body: { code: 'reply-unusable', retryable: true, cost_usd: 4 * replyUsd },
    })
    expect(provider.requests).toHaveLength(4)
    expect((await service.session(answer.body.session_id)).agent_calls[0]?.retries).toHaveLength(3)
  })
})

describe('a model with tools', () => {
  const task = { question: 'What is the mean?', series: { sales: [2, 4, 6] } }
  const ask = async (script: Script) => {
    const { provider, service } = await serve(script)
    const answer = await service.call('data_analyst', task, { return_session: true })
    return { provider, service, answer }
  }
  const toldAfter = ({ requests }: ScriptedProvider, request: number) => requests[request]?.lastText

  test.each([
    ['with arguments that are no JSON', callsTool('describe_series', '{"values":[2,'), 'not a JSON object'],
    ['with arguments that are no object', callsTool('describe_series', '[2,4]'), 'not a JSON object'],
    [
      'with arguments that do not fit',
      callsTool('describe_series', { values: 'all' }),
      'The arguments do not fit. /values:',
    ],
    [
      'that does not exist',
      callsTool('describe_serie', {}),
      'There is no tool "describe_serie". Did you mean "describe_series"?',
    ],
    ['that fails', callsTool('fit_line', { x: [1, 2], y: [1, 2, 3] }), 'Error: The series differ in length: 2 and 3.'],
  ])('calls one %s, and is told so', async (_name, reply, told) => {
    const { provider, answer } = await ask([reply, 'Sorry. The mean is 4.'])
    expect(answer).toMatchObject({ status: 200, body: { result: 'Sorry. The mean is 4.' } })
    expect(toldAfter(provider, 1)).toContain(told)
    expect(answer.body.session?.agent_calls[0]?.tool_calls).toMatchObject([{ error: expect.stringContaining(told) }])
  })

  test('calls one with the finish_reason "stop", and it is run all the same', async () => {
    const { provider, answer } = await ask([
      callsTool('describe_series', { values: [2, 4, 6] }, { finishReason: 'stop' }),
      'The mean is 4.',
    ])
    expect(answer.body.result).toBe('The mean is 4.')
    expect(toldAfter(provider, 1)).toContain('"mean":4')
  })

  test('makes several calls, good and bad, each of which is answered', async () => {
    const { provider } = await ask([
      callsTools([
        { name: 'describe_series', args: '{' },
        { name: 'describe_series', args: { values: [2] } },
        { name: 'no_tool', args: {} },
      ]),
      'Done.',
    ])
    expect(provider.requests[1]?.messages.slice(-3)).toMatchObject([
      { role: 'tool', tool_call_id: 'call_0_0' },
      { role: 'tool', tool_call_id: 'call_0_1', content: expect.stringContaining('"mean":2') },
      { role: 'tool', tool_call_id: 'call_0_2' },
    ])
  })

  test('that never stops calling them is made to answer, and given up when it does not', async () => {
    const roundsMax = 8
    const { provider, answer } = await ask((_request, index) =>
      callsTool('describe_series', { values: [index] }, { usage }),
    )
    expect(answer).toMatchObject({
      status: 502,
      body: { code: 'reply-unusable', cost_usd: expect.closeTo((roundsMax + 4) * replyUsd, 12) },
    })
    expect(provider.requests).toHaveLength(roundsMax + 4)
    expect(provider.requests[roundsMax - 1]?.toolNames).toHaveLength(2)
    expect(provider.requests[roundsMax]).toMatchObject({
      toolNames: [],
      lastText: 'You cannot call tools any more. Give your final answer now, from what you have.',
    })
  })
})

describe('a usage that cannot be true', () => {
  test.each([
    ['is missing', says('- Bees.', { usage: null })],
    ['is negative', says('- Bees.', { rawUsage: { prompt_tokens: -5, completion_tokens: 1, total_tokens: 0 } })],
    ['is text', says('- Bees.', { rawUsage: 'free of charge' })],
  ])('%s: the reply counts as unpriced, never as free', async (_name, reply) => {
    const { service } = await serve([reply])
    const { status: answered, body } = await service.call('summarizer', 'Bees hum.', { return_session: true })
    expect({ answered, result: body.result, costUsd: body.cost_usd }).toEqual({
      answered: 200,
      result: '- Bees.',
      costUsd: null,
    })
    expect(body.session?.cost).toMatchObject({ unpriced_calls: 1, total_tokens: 0, cost_usd: null })
  })
})
