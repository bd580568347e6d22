import type { Usage } from '../../src/domain/cost.ts'
import {
  type Invoker,
  type ModelReply,
  type ModelRequest,
  ProviderError,
  type ProviderErrorKind,
} from '../../src/domain/invoker.ts'
import type { ToolCall } from '../../src/domain/message.ts'

/** What a scripted model does with one request. */
export type Answer = (request: ModelRequest, signal: AbortSignal) => ModelReply | Promise<ModelReply>

/** An answer for all requests, or one for each in turn, the last of which is given again and again. */
export type Script = Answer | readonly Answer[]

export interface ScriptedModel {
  readonly invoker: Invoker
  /** All requests so far. */
  readonly requests: readonly ModelRequest[]
  /** How many requests there were under way at once, at the most. */
  readonly mostInFlight: number
}

export const testUsage: Usage = { promptTokens: 100, cachedPromptTokens: 40, completionTokens: 20, reasoningTokens: 5 }

/** A plain reply. */
export function says(text: string, more: Partial<ModelReply> = {}): Answer {
  return () => ({
    id: 'reply',
    model: 'test-model',
    message: { role: 'assistant', content: text },
    finishReason: 'stop',
    usage: testUsage,
    ...more,
  })
}

/** A reply that is JSON. */
export function json(value: unknown): Answer {
  return says(JSON.stringify(value))
}

/** A reply that calls one tool. Arguments that are a text are passed on as they are. */
export function callsTool(name: string, args: unknown = {}, more: Partial<ModelReply> = {}): Answer {
  return callsTools([{ id: `call-${name}`, name, args }], more)
}

export function callsTools(
  calls: readonly { readonly id: string; readonly name: string; readonly args: unknown }[],
  more: Partial<ModelReply> = {},
): Answer {
  const toolCalls = calls.map(
    ({ id, name, args }): ToolCall => ({ id, name, arguments: typeof args === 'string' ? args : JSON.stringify(args) }),
  )
  const message = { role: 'assistant', content: '', toolCalls } as const
  return says('', { message, finishReason: 'tool_calls', ...more })
}

/** The provider fails. */
export function fails(kind: ProviderErrorKind, details: ConstructorParameters<typeof ProviderError>[2] = {}): Answer {
  return () => Promise.reject(new ProviderError(kind, `The provider failed: ${kind}.`, details))
}

/** The provider never answers. As invokers have to, it gives up when the signal aborts. */
export function hangs(onStart: () => void = () => {}): Answer {
  return (_request, signal) =>
    new Promise((_resolve, reject) => {
      signal.throwIfAborted()
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      onStart()
    })
}

/** Answers by the text that was received last. */
export function answersBy(answer: (text: string, request: ModelRequest) => Answer): Answer {
  return (request, signal) => {
    const last = request.messages.at(-1)?.content
    return answer(typeof last === 'string' ? last : '', request)(request, signal)
  }
}

/** A model in the same process that follows a script and remembers what it was asked. It streams word by word. */
export function scriptedModel(script: Script, name = 'test'): ScriptedModel {
  const requests: ModelRequest[] = []
  let inFlight = 0
  let mostInFlight = 0
  const invoker: Invoker = {
    name,
    simulated: false,
    async invoke(request, signal, onDelta) {
      requests.push(request)
      mostInFlight = Math.max(mostInFlight, ++inFlight)
      const answer = typeof script === 'function' ? script : (script[requests.length - 1] ?? script.at(-1))
      try {
        if (answer === undefined) throw new Error('The script is empty.')
        const reply = await answer(request, signal)
        for (const word of onDelta ? reply.message.content.split(/(?<= )/) : []) {
          signal.throwIfAborted()
          await onDelta?.(word)
        }
        return reply
      } finally {
        inFlight--
      }
    },
    async close() {},
  }
  return {
    invoker,
    requests,
    get mostInFlight() {
      return mostInFlight
    },
  }
}
