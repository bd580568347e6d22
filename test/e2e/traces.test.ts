import { describe, expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { callsTool, hang, type Script, says, status } from '../support/scripted-provider.ts'
import { makeKeys } from './support/keys.ts'
import { config, writePackage } from './support/package.ts'
import { providerKey, scripted, startService, usage } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'
import { flatten, openTraceReceiver, outline, type SpanTree } from './support/trace-receiver.ts'
import { tracedPackage } from './support/traced-package.ts'

const { newPath } = databaseFiles()

const traceId = '0af7651916cd43dd8448eb211c80319c'
const callerSpan = 'b7ad6b7169203331'
const fromCaller = { traceparent: `00-${traceId}-${callerSpan}-01`, tracestate: 'vendor=of-the-caller' }

/** A service whose traces are received, and what it asked its provider. The spans are there once it has been closed. */
async function traced(script: Script, env: Readonly<Record<string, string>> = {}, files = tracedPackage) {
  const receiver = await openTraceReceiver()
  const provider = await scripted(script)
  const folder = await writePackage(files)
  const service = await startService({ provider, folder, env: { ...receiver.env, ...env } })
  const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, text: await response.text() }
  }
  /** Calls, and gives the spans of it as trees. */
  async function treesOf(tactic: string, body: object, headers = {}): Promise<readonly SpanTree[]> {
    await post(`/tactics/${tactic}`, body, headers)
    await service.close()
    return receiver.trees()
  }
  return { receiver, provider, service, post, treesOf }
}

/** A tool, a failure of the provider that is passed over, and a writer. */
const pipeline = [
  callsTool('lookup', { word: 'bee' }, { usage }),
  status(503),
  says('Bees are busy.', { usage }),
  says('A report on bees.', { usage }),
]
const someId = expect.stringMatching(/^[0-9a-f-]{36}$/)
const usageTold = {
  'gen_ai.usage.input_tokens': 1_000,
  'gen_ai.usage.output_tokens': 100,
  'gen_ai.usage.cache_read.input_tokens': 0,
  'gen_ai.usage.reasoning.output_tokens': 0,
  'lllm.cost.usd': 0.0035,
}

describe('a call', () => {
  test('is a tree of spans in the trace of its caller, named and filled as the conventions say', async () => {
    const { provider, treesOf } = await traced(pipeline)
    const [tree, ...others] = await treesOf('report', { task: 'bees' }, { ...fromCaller, 'x-request-id': 'my-request' })
    expect(others).toEqual([])
    expect(tree && outline(tree)).toEqual([
      'server POST /tactics/report',
      '  internal invoke_workflow report',
      '    internal invoke_workflow facts',
      '      internal invoke_agent finder',
      '        client chat gpt-4o',
      '        internal execute_tool lookup',
      '        client chat gpt-4o',
      '    internal invoke_agent writer',
      '      client chat gpt-4o',
    ])
    const spans = tree === undefined ? [] : flatten(tree)
    expect(spans.map((span) => [span.traceId, span.traceState, span.isError, span.links])).toEqual(
      spans.map(() => [traceId, fromCaller.tracestate, false, []]),
    )
    expect(spans[0]?.parentSpanId).toBe(callerSpan)
    const server = { 'server.address': '127.0.0.1', 'server.port': Number(new URL(provider.url).port) }
    const workflow = (name: string, cost: number) => ({
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.agent.name': name,
      'gen_ai.workflow.name': name,
      'lllm.tactic.id': `demo::${name}`,
      'lllm.session.id': someId,
      'lllm.config.name': name,
      'lllm.session.state': 'success',
      'lllm.session.cost.usd': cost,
    })
    const agent = (name: string, dialog: string) => ({
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': name,
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'lllm.agent_call.id': someId,
      'lllm.dialog.alias': dialog,
      'lllm.agent_call.state': 'success',
    })
    const chat = (name: string, index: number, finishReason = 'stop', callCount = 1) => ({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.agent.name': name,
      'gen_ai.output.type': 'text',
      'gen_ai.response.id': `chatcmpl-${index}`,
      'gen_ai.response.model': 'gpt-4o',
      'gen_ai.response.finish_reasons': [finishReason],
      'lllm.llm_call.ids': Array.from({ length: callCount }, () => someId),
      ...usageTold,
      ...server,
    })
    const tool = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'lookup',
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.description': 'Looks a word up.',
      'gen_ai.tool.call.id': 'call_0_0',
    }
    expect(spans.map(({ attributes }) => attributes)).toEqual([
      {
        'http.request.method': 'POST',
        'http.route': '/tactics/report',
        'http.response.status_code': 200,
        'url.path': '/tactics/report',
        'url.scheme': 'http',
        'lllm.request.id': 'my-request',
        'lllm.session.id': someId,
      },
      workflow('report', 0.0105),
      workflow('facts', 0.007),
      agent('finder', 'find'),
      chat('finder', 0, 'tool_calls'),
      tool,
      chat('finder', 2, 'stop', 2),
      agent('writer', 'write'),
      { ...chat('writer', 3), 'gen_ai.request.temperature': 0.2, 'gen_ai.request.max_tokens': 500 },
    ])
    expect(spans.flatMap(({ events }) => events)).toEqual([
      { name: 'lllm.recall', attributes: { 'error.type': 'failed', 'lllm.waited_ms': 0 } },
    ])
  })

  test('has its trace in the one line of the log and at the provider, whose requests name the span that sent them', async () => {
    const { provider, service, receiver, treesOf } = await traced(pipeline)
    await treesOf('report', { task: 'bees' }, fromCaller)
    const [workflow] = receiver.named('invoke_workflow report')
    expect(service.logLines.filter(({ msg }) => msg === 'request')).toEqual([
      expect.objectContaining({ trace_id: traceId, session_id: workflow?.attributes['lllm.session.id'] }),
    ])
    const [first, second, third] = receiver.named('chat gpt-4o').map(({ spanId }) => `00-${traceId}-${spanId}-01`)
    // The second of them was sent twice: its recall is a part of it.
    expect(provider.requests.map(({ headers }) => headers['traceparent'])).toEqual([first, second, second, third])
    expect(provider.requests.map(({ headers }) => headers['tracestate'])).toEqual(
      pipeline.map(() => fromCaller.tracestate),
    )
  })

  test('of which its caller tells no traces is not told here either, and the provider hears of that', async () => {
    const { provider, receiver, treesOf } = await traced(pipeline)
    expect(await treesOf('report', { task: 'bees' }, { traceparent: `00-${traceId}-${callerSpan}-00` })).toEqual([])
    expect(receiver.requests).toEqual([])
    expect(provider.requests[0]?.headers['traceparent']).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
  })

  test('that has no caller with a trace begins one', async () => {
    const { service, treesOf } = await traced(pipeline)
    const [tree] = await treesOf('report', { task: 'bees' }, { traceparent: 'nonsense' })
    expect(tree?.span.parentSpanId).toBeUndefined()
    expect(service.logLines.find(({ msg }) => msg === 'request')).toMatchObject({ trace_id: tree?.span.traceId })
  })
})

describe('what fails', () => {
  test('is an error of each span that it ends, by its kind', async () => {
    const { treesOf } = await traced([callsTool('lookup', { word: 'wasp' }), status(400)])
    const [tree] = await treesOf('report', { task: 'wasps' })
    expect(
      tree && flatten(tree).map(({ name, isError, attributes }) => [name, isError, attributes['error.type']]),
    ).toEqual([
      ['POST /tactics/report', true, '502'],
      ['invoke_workflow report', true, 'provider-rejected'],
      ['invoke_workflow facts', true, 'provider-rejected'],
      ['invoke_agent finder', true, 'provider-rejected'],
      ['chat gpt-4o', false, undefined],
      ['execute_tool lookup', true, 'tool-failed'],
      ['chat gpt-4o', true, 'rejected'],
    ])
  })

  test('in a request is no error of the service', async () => {
    const { treesOf } = await traced([])
    const [tree] = await treesOf('nothing', { task: 'bees' })
    expect(tree?.span).toMatchObject({
      name: 'POST /tactics/:name',
      isError: false,
      attributes: { 'http.response.status_code': 404 },
    })
  })

  test('because the client hung up has no status', async () => {
    const { receiver, provider, service } = await traced([hang()])
    const client = new AbortController()
    const call = service.call('facts', 'bees', {}, client.signal).catch(() => undefined)
    await provider.until(({ inFlight }) => inFlight > 0)
    client.abort()
    await call
    await provider.until(({ inFlight }) => inFlight === 0)
    await service.close()
    expect(
      receiver
        .trees()
        .flatMap(flatten)
        .map(({ name, attributes }) => [name, attributes['error.type']]),
    ).toEqual([
      ['POST /tactics/facts', 'client-closed-request'],
      ['invoke_workflow facts', 'client-closed-request'],
      ['invoke_agent finder', 'client-closed-request'],
      ['chat gpt-4o', 'cancelled'],
    ])
    const [request] = receiver.named('POST /tactics/facts')
    expect(request?.attributes).not.toHaveProperty('http.response.status_code')
  })

  test('in a stream, whose status said nothing of it, is one by its code', async () => {
    const { receiver, post, service } = await traced([status(400)])
    await post('/tactics/facts/stream', { task: 'bees' })
    await service.close()
    expect(receiver.named('POST /tactics/facts/stream')).toMatchObject([
      { isError: true, attributes: { 'http.response.status_code': 200, 'error.type': 'provider-rejected' } },
    ])
  })
})

test('the items of a batch are side by side, each with its place', async () => {
  const { receiver, post, service } = await traced(({ lastText }) => says(lastText))
  await post('/tactics/facts/batch', { tasks: ['a', 'b', 'c'], max_workers: 3 })
  await service.close()
  const [batch] = receiver.named('POST /tactics/facts/batch')
  const items = receiver.named('invoke_workflow facts')
  expect(items.map(({ parentSpanId }) => parentSpanId)).toEqual(items.map(() => batch?.spanId))
  expect(items.map(({ attributes }) => attributes['lllm.batch.index']).sort()).toEqual([0, 1, 2])
})

test('whose a call is stands in its request and in itself, and the key that said so nowhere', async () => {
  const database = newPath()
  const { key } = await makeKeys(database, { key: { tenant: 'globex', scopes: ['tactics:*:call'] } })
  const { receiver, post, service } = await traced([says('Facts.')], { LLLM_DATABASE: database })
  await post('/tactics/facts', { task: 'bees' }, { authorization: `Bearer ${key}` })
  await service.close()
  for (const name of ['POST /tactics/facts', 'invoke_workflow facts']) {
    expect(receiver.named(name)).toMatchObject([{ isError: false, attributes: { 'lllm.tenant': 'globex' } }])
  }
  expect(receiver.requests.map(({ text }) => text).join()).not.toContain(key.slice(-20))
})

test('probes are not told', async () => {
  const { receiver, service } = await traced([])
  for (const path of ['/healthz', '/readyz']) await service.get(path)
  await service.close()
  expect(receiver.spans).toEqual([])
})

describe('texts', () => {
  const words = [
    'bees',
    'You find facts',
    'the page on',
    'busy',
    'A report',
    providerKey,
    'someone',
    'sesame',
    'k-otlp',
  ]

  test('of tasks, prompts, replies and tools are in no span, nor are keys', async () => {
    const { receiver, treesOf } = await traced(pipeline, { OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k-otlp%2C1' })
    await treesOf('report?key=sesame', { task: 'bees' })
    expect(receiver.spans.length).toBeGreaterThan(5)
    expect(receiver.requests[0]?.headers['x-key']).toBe('k-otlp,1')
    for (const word of words) expect(receiver.requests.map(({ text }) => text).join()).not.toContain(word)
  })

  test('are in the spans that the conventions name for them once somebody wants that', async () => {
    const { receiver, treesOf } = await traced(pipeline, { LLLM_TRACE_CONTENT: 'true' })
    await treesOf('report', { task: 'bees' })
    const read = (name: string, key: string, index = 0) =>
      JSON.parse(String(receiver.named(name)[index]?.attributes[`gen_ai.${key}`]))
    const text = (content: string) => [{ type: 'text', content }]
    const asked = [
      { role: 'system', parts: text('You find facts.') },
      { role: 'user', parts: text('Facts on bees') },
    ]
    const call = { type: 'tool_call', id: 'call_0_0', name: 'lookup', arguments: '{"word":"bee"}' }
    expect(read('invoke_workflow report', 'input.messages')).toEqual([{ role: 'user', parts: text('bees') }])
    expect(read('invoke_workflow report', 'output.messages')).toMatchObject([{ parts: text('A report on bees.') }])
    expect(read('invoke_agent finder', 'input.messages')).toEqual(asked)
    expect(read('invoke_agent finder', 'output.messages')).toMatchObject([{ parts: text('Bees are busy.') }])
    expect(read('chat gpt-4o', 'input.messages')).toEqual(asked)
    expect(read('chat gpt-4o', 'output.messages')).toEqual([
      { role: 'assistant', parts: [call], finish_reason: 'tool_calls' },
    ])
    expect(read('chat gpt-4o', 'input.messages', 1)).toEqual([
      ...asked,
      { role: 'assistant', parts: [call] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'call_0_0', response: 'the page on bee' }] },
    ])
    expect(receiver.named('execute_tool lookup')).toMatchObject([
      {
        attributes: {
          'gen_ai.tool.call.arguments': '{"word":"bee"}',
          'gen_ai.tool.call.result': 'the page on bee',
        },
      },
    ])
    for (const key of [providerKey, 'someone'])
      expect(receiver.requests.map(({ text }) => text).join()).not.toContain(key)
  })
})

describe('a run', () => {
  test('goes on in the trace of its submitter, after the request that submitted it has been answered', async () => {
    const { receiver, post, service } = await traced([says('Facts.')])
    const { id } = JSON.parse((await post('/tactics/facts/runs', { task: 'bees' }, fromCaller)).text)
    await service.get(`/runs/${id}/wait?timeout_ms=10000`)
    await service.close()
    const [submit] = receiver.named('POST /tactics/facts/runs')
    expect(submit).toMatchObject({ traceId, attributes: { 'http.response.status_code': 202, 'lllm.session.id': id } })
    expect(receiver.named('invoke_workflow facts')).toMatchObject([
      { traceId, parentSpanId: submit?.spanId, attributes: { 'lllm.session.id': id } },
    ])
  })

  test('of a batch has a trace of its own, linked to that of its submitter', async () => {
    const { receiver, post, service } = await traced(({ lastText }) => says(lastText))
    const { id } = JSON.parse((await post('/tactics/facts/batches', { tasks: ['a', 'b'] }, fromCaller)).text)
    const runs = service.runtime.runs.of('default')
    for await (const run of runs.batchRuns(id)) await runs.wait(run.id, 10_000, new AbortController().signal)
    await service.close()
    const [submit] = receiver.named('POST /tactics/facts/batches')
    const calls = receiver.named('invoke_workflow facts')
    expect(calls.map(({ links }) => links)).toEqual([1, 2].map(() => [{ traceId, spanId: submit?.spanId }]))
    expect(new Set([traceId, ...calls.map((call) => call.traceId)]).size).toBe(3)
  })
})

describe('without a receiver', () => {
  const quiet: Readonly<Record<string, string>> = { OTEL_EXPORTER_OTLP_ENDPOINT: '' }

  test('the place of the caller is handed on to the provider as it came, and is in the log', async () => {
    const { provider, receiver, service, treesOf } = await traced(pipeline, quiet)
    expect(await treesOf('report', { task: 'bees' }, fromCaller)).toEqual([])
    expect(receiver.requests).toEqual([])
    for (const { headers } of provider.requests) expect(headers).toMatchObject(fromCaller)
    expect(service.logLines.find(({ msg }) => msg === 'request')).toMatchObject({ trace_id: traceId })
  })

  test('a caller that has no place in a trace gets none', async () => {
    const { provider, treesOf } = await traced(pipeline, quiet)
    await treesOf('report', { task: 'bees' })
    for (const { headers } of provider.requests) expect(headers).not.toHaveProperty('traceparent')
  })

  test.each([
    ['OTEL_SDK_DISABLED', 'TRUE'],
    ['OTEL_TRACES_EXPORTER', 'none'],
  ])('so it is with %s=%s, whatever else is set', async (variable, value) => {
    const { provider, receiver, treesOf } = await traced(pipeline, { [variable]: value })
    await treesOf('report', { task: 'bees' }, fromCaller)
    expect(receiver.requests).toEqual([])
    expect(provider.requests[0]?.headers).toMatchObject(fromCaller)
  })
})

describe('a process says of itself', () => {
  test('what OpenTelemetry’s variables tell it to', async () => {
    const receiver = await openTraceReceiver()
    const env = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/my/traces`,
      OTEL_SERVICE_NAME: 'reports',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a%20test,service.name=other',
    }
    const folder = await writePackage({ ...tracedPackage, 'configs/facts.yaml': config('facts', { finder: 'Find.' }) })
    const service = await startService({ folder, env })
    await service.call('facts', 'bees')
    await service.close()
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/my/traces'])
    expect(receiver.spans[0]?.resource).toMatchObject({
      'service.name': 'reports',
      'service.version': '0.1.0',
      'deployment.environment.name': 'a test',
    })
    for (const { attributes } of receiver.named('chat gpt-4o')) {
      expect(attributes).toMatchObject({ 'gen_ai.provider.name': 'simulated', 'lllm.simulated': true })
    }
  })
})

test('a process that is told to end sends what is left, and warns of a receiver that takes nothing', async () => {
  const receiver = await openTraceReceiver((response) => void response.writeHead(400).end())
  const folder = await writePackage(tracedPackage)
  const service = await spawnService({ folder, env: receiver.env })
  await service.call('facts', 'bees')
  service.kill('SIGTERM')
  expect(await service.exited).toMatchObject({ code: 0 })
  expect(receiver.named('invoke_workflow facts')).toHaveLength(1)
  expect(service.logLines.filter(({ level }) => level === 40)).toEqual([
    expect.objectContaining({ msg: expect.stringContaining('simulated') }),
    expect.objectContaining({ reason: '400', msg: expect.stringContaining('receiver of traces') }),
  ])
})
