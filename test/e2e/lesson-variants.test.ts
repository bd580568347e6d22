import { describe, expect, test } from 'vitest'
import EditedWritingPipeline from '../../tactics/edited-writing-pipeline.ts'
import { callsTools, type Script } from '../support/scripted-provider.ts'
import { writePackage } from './support/package.ts'
import { conversations, serve } from './support/service.ts'

// The second half of the lesson: tactics that extend others, typed ones, ones with tools, and packages of one's own.

describe('extending a tactic via inheritance', () => {
  const drafting = [
    'user: Create a concise 5-point outline about: agents',
    'user: Expand this outline into a short article:\n\n1. Rise.',
  ]

  test('writing_pipeline', async () => {
    const { provider, service } = await serve(['1. Rise.', 'They rise.'])
    expect((await service.call('writing_pipeline', 'agents')).body.result).toBe('They rise.')
    expect(conversations(provider).map(([, user]) => user)).toEqual(drafting)
  })

  test('edited_writing_pipeline reuses it and adds an editor', async () => {
    const { provider, service } = await serve(['1. Rise.', 'They rise.', 'Agents rise.'])
    const { body } = await service.call('edited_writing_pipeline', 'agents', { return_session: true })
    expect(body).toMatchObject({ result: 'Agents rise.', session: { agent_call_count: 3, sub_tactic_call_count: 0 } })
    expect(conversations(provider).map(([, user]) => user)).toEqual([
      ...drafting,
      'user: Polish this draft for clarity and concision:\n\nThey rise.',
    ])
  })

  test('EditedWritingPipeline(config), with a config that has no tactic_type', async () => {
    const { provider, service } = await serve(['1. Rise.', 'They rise.', 'Agents rise.'])
    const tactic = service.runtime.build(EditedWritingPipeline, {
      global: { model_name: 'gpt-4o', model_args: { temperature: 0.7 } },
      agent_configs: [
        { name: 'outliner', system_prompt: 'You create concise, structured outlines.' },
        { name: 'writer', system_prompt: 'You expand outlines into engaging articles.' },
        { name: 'editor', system_prompt: 'You polish prose for clarity and concision.' },
      ],
    })
    expect(await tactic('the rise of agentic AI')).toBe('Agents rise.')
    expect(provider.requests.map(({ body }) => body['temperature'])).toEqual([0.7, 0.7, 0.7])
  })

  test('blog_post uses what its base shares; the base itself is neither listed nor callable', async () => {
    const { provider, service } = await serve(['Polished.', 'Polished, with keywords.'])
    expect((await service.call('blog_post', 'Bees hum.')).body.result).toBe('Polished, with keywords.')
    expect(conversations(provider).map(([, user]) => user)).toEqual([
      'user: Polish this:\n\nBees hum.',
      'user: Add SEO keywords to:\n\nPolished.',
    ])
    const { body } = await service.get<{ readonly data: { readonly name: string }[] }>('/tactics')
    expect(body.data.map(({ name }) => name)).toEqual([
      'blog_post',
      'code_review',
      'data_analyst',
      'edited_writing_pipeline',
      'pipeline',
      'researcher',
      'summarizer',
      'writing_pipeline',
    ])
    const base = await service.call('base_writing', 'Bees hum.')
    expect(base).toMatchObject({ status: 404, body: { code: 'unknown-tactic' } })
    expect(base.body.detail).toContain('Known: blog_post, code_review')
  })
})

describe('the typed variant, code_review', () => {
  const finding = {
    severity: 'major',
    line: 2,
    title: 'Division by zero',
    explanation: 'An empty list has the length 0.',
    suggestion: 'Return None for it.',
  }
  const review = { summary: 'Nearly there.', verdict: 'request_changes', findings: [finding] }
  const script: Script = [JSON.stringify({ findings: [finding] }), JSON.stringify(review)]
  const task = { language: 'python', code: 'def mean(values):\n    return sum(values) / len(values)\n' }

  test('holds its models to schemas, and gives a typed result', async () => {
    const { provider, service } = await serve(script)
    const { body } = await service.call('code_review', task)
    expect(body.result).toEqual(review)
    const [reviewer, editor] = provider.requests
    expect(reviewer?.lastText).toBe(
      'Code (python), with line numbers:\n\n1: def mean(values):\n2:     return sum(values) / len(values)',
    )
    expect(reviewer?.body).toMatchObject({
      model: 'gpt-4o',
      temperature: 0.2,
      max_completion_tokens: 4000,
      response_format: {
        type: 'json_schema',
        json_schema: { strict: true, schema: { type: 'object', required: ['findings'], additionalProperties: false } },
      },
    })
    expect(editor?.lastText).toContain('"title": "Division by zero"')
    expect(editor?.body).toMatchObject({
      response_format: { json_schema: { schema: { required: ['summary', 'verdict', 'findings'] } } },
    })
  })

  test('its profile "pro" inherits all but the model and the patience', async () => {
    const { provider, service } = await serve([
      'no JSON',
      'nor this',
      'or this',
      'at all',
      'really',
      ...(script as string[]),
    ])
    const { body } = await service.call('code_review', task, { config: 'pro', return_session: true })
    expect(body.result).toEqual(review)
    expect(body.session).toMatchObject({ config: { name: 'code_review/pro' }, llm_call_count: 7 })
    for (const { body: sent } of provider.requests) {
      expect(sent).toMatchObject({ model: 'gpt-4.1', temperature: 0.2, max_completion_tokens: 4000 })
    }
  })

  test('a profile that does not exist is told with those that do', async () => {
    const { provider, service } = await serve([])
    const { status: answered, body } = await service.call('code_review', task, { config: 'prp' })
    expect({ answered, code: body.code }).toEqual({ answered: 404, code: 'unknown-config' })
    expect(body.detail).toContain('Did you mean "pro"? Known: default, pro.')
    expect(provider.requests).toEqual([])
  })

  test('resolve_config', async () => {
    const { service } = await serve([])
    expect(service.runtime.resolveConfig('code_review/pro')).toMatchObject({
      tactic_type: 'code_review',
      global: { model_name: 'gpt-4.1', model_args: { temperature: 0.2 }, max_exception_retry: 5 },
      agent_configs: [{ name: 'reviewer' }, { name: 'editor' }],
    })
  })
})

describe('an agent with tools, data_analyst', () => {
  test('computes what the model asks for, and records it', async () => {
    const { provider, service } = await serve(analyst)
    const task = { question: 'What is the mean?', series: { sales: [2, 4, 6] } }
    const { body } = await service.call('data_analyst', task, { return_session: true })
    expect(body.result).toBe('The mean is 4.')
    expect(provider.requests[0]).toMatchObject({
      lastText: 'What is the mean?\n\nData:\nsales: 2, 4, 6',
      toolNames: ['describe_series', 'fit_line'],
    })
    const told = '{"count":3,"minimum":2,"maximum":6,"mean":4,"median":4,"standard_deviation":2}'
    expect(provider.requests[1]?.messages.slice(2)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'call_0_0' }, { id: 'call_0_1' }] },
      { role: 'tool', tool_call_id: 'call_0_0', content: told },
      { role: 'tool', tool_call_id: 'call_0_1', content: '{"slope":2,"intercept":2,"correlation":1}' },
    ])
    expect(body.session?.agent_calls).toMatchObject([
      {
        agent: 'analyst',
        llm_calls: [{ step: 0 }, { step: 1 }],
        tool_calls: [
          { name: 'describe_series', arguments: '{"values":[2,4,6]}', result: told, error: null },
          { name: 'fit_line', error: null },
        ],
      },
    ])
  })

  const analyst: Script = (_request, index) =>
    index === 0
      ? callsTools([
          { name: 'describe_series', args: { values: [2, 4, 6] } },
          { name: 'fit_line', args: { x: [0, 1, 2], y: [2, 4, 6] } },
        ])
      : 'The mean is 4.'
})

describe('organising as a package', () => {
  // The layout of the lesson, file by file.
  const files = {
    'lllm.toml': `[package]
name = "my_project"
version = "1.0.0"

[prompts]
paths = ["prompts/"]

[configs]
paths = ["configs/"]

[tactics]
paths = ["tactics/"]
`,
    'prompts/system.ts': `import { definePrompt } from 'lllm'
export const system = definePrompt({ template: 'You speak for my project.' })
`,
    'configs/default.yaml': `tactic_type: my_tactic
global: { model_name: gpt-4o }
agent_configs:
  - name: agent_a
    system_prompt_path: my_project:system
`,
    'tactics/my_tactic.ts': `import { type InputOf, Tactic } from 'lllm'
export class MyTactic extends Tactic({ name: 'my_tactic', agents: ['agent_a'] }) {
  async call(task: InputOf<typeof MyTactic>) {
    return (await this.agents.agent_a.open('main').receive(task).respond()).content
  }
}
`,
  }

  test('everything in it is found by itself, and a tactic can be called by its name', async () => {
    const { provider, service } = await serve(['Over HTTP.', 'In code.', 'By its type.'], {
      folder: await writePackage(files),
    })
    expect((await service.call('my_tactic', 'Hello')).body.result).toBe('Over HTTP.')
    expect(conversations(provider)).toEqual([['developer: You speak for my project.', 'user: Hello']])

    const { runtime } = service
    expect(await runtime.build('my_tactic')('Hello')).toBe('In code.')
    // build_tactic(config): the config says of which type it is.
    expect(await runtime.build(runtime.resolveConfig('default'))('Hello')).toBe('By its type.')
    const { body } = await service.get('/tactics/my_tactic')
    expect(body).toMatchObject({ id: 'my_project::my_tactic', version: '1.0.0', configs: ['default'] })
  })

  test('Tactic.quick: one agent without a tactic', async () => {
    const { provider, service } = await serve(['Hello to you.'])
    expect(await service.runtime.quick('Hello', { model: 'gpt-4o', systemPrompt: 'Be {kind}.' })).toBe('Hello to you.')
    expect(conversations(provider)).toEqual([['developer: Be {kind}.', 'user: Hello']])
  })
})
