import { type ModelReply, type ModelRequest, ProviderError, type ProviderErrorKind } from '../domain/invoker.ts'
import { type ToolCall, textOf } from '../domain/message.ts'
import { type Answer, type Line, says } from './scripted-model.ts'

/** A reply that is JSON. */
export function saysJson(value: unknown, more: Partial<ModelReply> = {}): Answer {
  return says(JSON.stringify(value), more)
}

/** A reply that calls one tool. Arguments that are a text are passed on as they are, so that they may be none that fit. */
export function callsTool(name: string, args: unknown = {}, more: Partial<ModelReply> = {}): Answer {
  return callsTools([{ id: `call-${name}`, name, args }], more)
}

/** A reply that calls several tools at once, with the id of each call. */
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

/** The provider fails, in one of the ways in which providers do. `details` say its status, how long it wants to be left alone … */
export function fails(kind: ProviderErrorKind, details: ConstructorParameters<typeof ProviderError>[2] = {}): Answer {
  return () => Promise.reject(new ProviderError(kind, `The provider failed: ${kind}.`, details))
}

/** The provider never answers. As real ones, it is given up when the call is stopped. */
export function hangs(onStart: () => void = () => {}): Answer {
  return (_request, signal) =>
    new Promise((_resolve, reject) => {
      signal.throwIfAborted()
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      onStart()
    })
}

/** Answers by the text that was received last, and by the whole request. */
export function answersBy(choose: (text: string, request: ModelRequest) => Line): Answer {
  return (request, signal) => {
    const last = request.messages.at(-1)
    const line = choose(last === undefined ? '' : textOf(last), request)
    return (typeof line === 'function' ? line : says(line))(request, signal)
  }
}
