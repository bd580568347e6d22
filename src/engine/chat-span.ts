import type { ModelChoice } from '../domain/agent.ts'
import { addCosts, costUsd } from '../domain/cost.ts'
import type { ModelRequest } from '../domain/invoker.ts'
import type { JsonObject } from '../domain/json.ts'
import type { LlmCall } from '../domain/session.ts'
import { noSpan, type Span, type SpanAttributes, type TraceHeaders } from '../domain/tracing.ts'
import { aboutServer } from './call-spans.ts'
import { toInputMessages, toOutputMessages } from './trace-content.ts'

/** The span of what one model is asked, recalls included: to whoever looks at it from above they are one request. */
export interface ChatSpan {
  readonly headers: TraceHeaders | undefined
  /** Tells how a request ended, the last one or one that is made again. */
  add(call: LlmCall): void
  recalled(error: string, waitedMs: number): void
  end(): void
}

/** Where there is no trace. */
const silent: ChatSpan = { headers: undefined, add: () => {}, recalled: () => {}, end: () => {} }

export function startChat(above: Span, { invoker, model }: ModelChoice, request: ModelRequest): ChatSpan {
  if (above === noSpan) return silent
  const calls: LlmCall[] = []
  const span = above.startChild(() => ({
    name: `chat ${model}`,
    kind: 'client',
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': invoker.name,
      'gen_ai.request.model': model,
      'gen_ai.agent.name': request.agent,
      'gen_ai.output.type': request.format?.kind === 'json' ? 'json' : 'text',
      ...aboutArgs(request.modelArgs),
      ...aboutServer(invoker.apiUrl),
      'lllm.simulated': invoker.simulated || undefined,
    },
  }))
  if (span.takesContent) span.set(() => ({ 'gen_ai.input.messages': toInputMessages(request.messages) }))
  return {
    headers: span.headers,
    add: (call) => void calls.push(call),
    recalled: (error, waitedMs) =>
      span.event('lllm.recall', () => ({ 'error.type': error, 'lllm.waited_ms': waitedMs })),
    end() {
      span.set(() => aboutCalls(calls, span.takesContent))
      const last = calls.at(-1)
      // It was stopped before anything was sent.
      span.end(last === undefined ? 'cancelled' : last.error?.code)
    },
  }
}

function aboutCalls(calls: readonly LlmCall[], takesContent: boolean): SpanAttributes {
  const cost = addCosts(calls.map((call) => call.cost))
  const isCounted = calls.some(({ usage }) => usage !== null)
  const count = (tokens: number) => (isCounted ? tokens : undefined)
  const response = calls.at(-1)?.response
  return {
    'gen_ai.response.id': response?.id ?? undefined,
    'gen_ai.response.model': response?.model ?? undefined,
    'gen_ai.response.finish_reasons': response?.finishReason ? [response.finishReason] : undefined,
    'gen_ai.usage.input_tokens': count(cost.promptTokens),
    'gen_ai.usage.output_tokens': count(cost.completionTokens),
    'gen_ai.usage.cache_read.input_tokens': count(cost.cachedPromptTokens),
    'gen_ai.usage.reasoning.output_tokens': count(cost.reasoningTokens),
    'lllm.usage.estimated': calls.some(({ usage }) => usage?.estimated === true) || undefined,
    'lllm.cost.usd': costUsd(cost) ?? undefined,
    'lllm.unpriced_calls': cost.unpricedCalls || undefined,
    'lllm.llm_call.ids': calls.map(({ id }) => id),
    'gen_ai.output.messages':
      takesContent && response ? toOutputMessages(response.message, response.finishReason) : undefined,
  }
}

/** What the two wire formats, and older servers, call the same thing. */
const argNames: ReadonlyMap<string, string> = new Map([
  ['temperature', 'gen_ai.request.temperature'],
  ['top_p', 'gen_ai.request.top_p'],
  ['seed', 'gen_ai.request.seed'],
  ['n', 'gen_ai.request.choice.count'],
  ['frequency_penalty', 'gen_ai.request.frequency_penalty'],
  ['presence_penalty', 'gen_ai.request.presence_penalty'],
  ['max_tokens', 'gen_ai.request.max_tokens'],
  ['max_completion_tokens', 'gen_ai.request.max_tokens'],
  ['max_output_tokens', 'gen_ai.request.max_tokens'],
])

/** Numbers alone: other arguments may hold text. */
function aboutArgs(args: JsonObject): SpanAttributes {
  const told: Record<string, number> = {}
  for (const [arg, name] of argNames) {
    const value = args[arg]
    if (typeof value === 'number') told[name] = value
  }
  return told
}
