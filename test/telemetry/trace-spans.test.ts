import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadRuntime } from '../../src/index.ts'
import { embed, openHost } from '../e2e/support/embedding.ts'
import { config, writePackage } from '../e2e/support/package.ts'
import { environmentOf, scripted } from '../e2e/support/service.ts'
import { callsTool, says } from '../support/scripted-provider.ts'

/** What an application does that has OpenTelemetry for itself. */
function registerSdk() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(asyncContexts())
  onTestFinished(() => {
    trace.disable()
    context.disable()
  })
  const named = (name: string) => {
    const [span] = exporter.getFinishedSpans().filter((finished) => finished.name === name)
    if (span === undefined) throw new Error(`There is no span "${name}".`)
    return { ...span, id: span.spanContext().spanId, traceId: span.spanContext().traceId }
  }
  return { named, tracer: trace.getTracer('application') }
}

function asyncContexts(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (within, work, self, ...args) => storage.run(within, () => work.call(self as never, ...args)),
    bind: (_within, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

/** A tactic whose tool tells a span of its own. */
async function openRuntime() {
  const provider = await scripted([callsTool('measure', {}), says('done')])
  const folder = await writePackage({
    'tactics/survey.ts': `import { Tactic, definePrompt, defineTool } from 'lllm'
import { trace } from '@opentelemetry/api'
import { z } from 'zod'
const measure = defineTool({
  name: 'measure',
  description: 'Measures.',
  args: z.object({}),
  run() {
    trace.getTracer('of the author').startSpan('query').end()
    return '1 m'
  },
})
const asking = definePrompt({ template: 'Measure.', tools: [measure] })
export default class extends Tactic({ name: 'survey', agents: ['surveyor'] }) {
  async call(task) {
    return (await this.agents.surveyor.open('site').receivePrompt(asking, {}).respond()).content
  }
}
`,
    'configs/survey.yaml': config('survey', { surveyor: 'You measure.' }),
  })
  const env = environmentOf({ provider, env: { LLLM_GRACE_MS: '0' } })
  const runtime = await loadRuntime({ folder, env })
  onTestFinished(() => runtime.close())
  return { runtime, provider }
}

describe('in an application that has registered an SDK of OpenTelemetry', () => {
  test('calls are told below its active span, and the spans of tools below ours', async () => {
    const { named, tracer } = registerSdk()
    const { runtime, provider } = await openRuntime()
    await tracer.startActiveSpan('job', async (job) => {
      await runtime.build('survey')('site')
      job.end()
    })
    const job = named('job')
    expect(named('invoke_workflow survey').parentSpanContext).toMatchObject({ spanId: job.id })
    expect(named('query').parentSpanContext).toMatchObject({ spanId: named('execute_tool measure').id })
    expect(named('query').traceId).toBe(job.traceId)
    expect(provider.requests[0]?.headers['traceparent']).toContain(job.traceId)
  })

  test('a request is told below the span that the application has for it, and not as one more server', async () => {
    const { named, tracer } = registerSdk()
    const { runtime } = await openRuntime()
    const host = openHost()
    host.addHook('onRequest', (_request, _reply, done) => {
      tracer.startActiveSpan('of the application', (span) => {
        done()
        span.end()
      })
    })
    await embed(runtime, {}, host)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await host.inject({
      method: 'POST',
      url: '/ai/tactics/survey',
      payload: { task: 'site' },
      headers: { traceparent },
    })
    const request = named('POST /ai/tactics/survey')
    expect(request).toMatchObject({ kind: 0, parentSpanContext: { spanId: named('of the application').id } })
    expect(named('invoke_workflow survey').parentSpanContext).toMatchObject({ spanId: request.id })
  })
})
