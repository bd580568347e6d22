import { z } from 'zod'
import type { ModelReply, ModelRequest } from '../domain/invoker.ts'
import type { AssistantMessage, Message, Part, ToolCall } from '../domain/message.ts'
import { readResponsesUsage } from './openai-usage.ts'
import {
  allowedArgs,
  garbled,
  imageUrl,
  jsonSchemaFormat,
  type SystemRole,
  saidToHaveFailed,
  toolCallsMax,
  toToolCall,
} from './openai-wire.ts'

/** A request as the body of `POST /responses`. */
export function toResponsesBody(request: ModelRequest, systemRole: SystemRole): object {
  const { model, messages, modelArgs, tools } = request
  const schema = jsonSchemaFormat(request.format)
  const args = allowedArgs(modelArgs, tools.length > 0)
  const textArgs = typeof args['text'] === 'object' ? args['text'] : {}
  return {
    // The whole dialog is sent each time, so there is no reason for the provider to keep it.
    store: false,
    ...args,
    model,
    input: messages.flatMap((message) => toInputItems(message, systemRole)),
    ...(tools.length > 0 ? { tools: tools.map((tool) => ({ type: 'function', ...tool })) } : {}),
    ...(schema === undefined ? {} : { text: { ...textArgs, format: { type: 'json_schema', ...schema } } }),
  }
}

/** This format knows no names of speakers, and tool calls are items of their own. */
function toInputItems(message: Message, systemRole: SystemRole): readonly object[] {
  if (message.role === 'system') return [{ role: systemRole, content: message.content }]
  if (message.role === 'tool') {
    return [{ type: 'function_call_output', call_id: message.toolCallId, output: message.content }]
  }
  if (message.role === 'user') {
    const { content } = message
    return [{ role: 'user', content: typeof content === 'string' ? content : content.map(toInputPart) }]
  }
  const { content, toolCalls = [], refusal = '' } = message
  const said = content === '' ? refusal : content
  const calls = toolCalls.map(({ id, name, arguments: args }) => ({
    type: 'function_call',
    call_id: id,
    name,
    arguments: args,
  }))
  return said === '' && calls.length > 0 ? calls : [{ role: 'assistant', content: said }, ...calls]
}

function toInputPart(part: Part): object {
  return part.type === 'text'
    ? { type: 'input_text', text: part.text }
    : { type: 'input_image', image_url: imageUrl(part), detail: 'auto' }
}

const lenientText = z.string().nullish().catch(null)

const responsesReply = z.object({
  id: lenientText,
  model: lenientText,
  status: z.string().nullish(),
  incomplete_details: z.object({ reason: lenientText }).nullish().catch(null),
  output: z.array(z.unknown()),
})

const messageItem = z.object({
  type: z.literal('message'),
  content: z.array(z.object({ text: z.string().nullish(), refusal: z.string().nullish() })),
})
const callItem = z.object({
  type: z.literal('function_call'),
  call_id: z.unknown().optional(),
  name: z.string(),
  arguments: z.unknown().optional(),
})
type CallItem = z.output<typeof callItem>
/** Reasoning, and whatever else a provider adds. */
const otherItem = z.object({ type: z.string().refine((type) => type !== 'message' && type !== 'function_call') })
const outputItems = z.array(z.union([messageItem, callItem, otherItem]))

/**
 * Reads the body of a response.
 *
 * @throws ProviderError `garbled`, or `failed` where the provider says so itself; with the usage where there is one.
 */
export function readResponsesReply(body: unknown): ModelReply {
  const usage = readResponsesUsage(usageIn(body))
  const reply = responsesReply.safeParse(body).data
  if (reply === undefined) throw garbled('something that is not a response of the responses API', usage)
  const { status, incomplete_details: incomplete } = reply
  if (status === 'failed' || status === 'cancelled') throw saidToHaveFailed(usage)
  const output = outputItems.safeParse(reply.output).data
  if (output === undefined) throw garbled('a response whose output cannot be read', usage)
  if (status === 'queued' || status === 'in_progress' || (output.length === 0 && status !== 'incomplete')) {
    throw garbled('a response without output', usage)
  }
  const message = readOutput(output)
  if ((message.toolCalls?.length ?? 0) > toolCallsMax) throw garbled('more tool calls than can be meant', usage)
  return {
    id: reply.id ?? null,
    model: reply.model ?? null,
    message,
    finishReason: finishReason(status === 'incomplete' ? (incomplete?.reason ?? 'incomplete') : null, message),
    usage,
  }
}

function readOutput(output: z.output<typeof outputItems>): AssistantMessage {
  const parts = output.flatMap((item) => ('content' in item ? item.content : []))
  const calls = output.filter((item): item is CallItem => 'name' in item)
  const toolCalls = calls.map(
    (item, position): ToolCall => toToolCall(item.call_id, item.name, item.arguments, position),
  )
  const refusal = parts.find((part) => part.refusal)?.refusal
  return {
    role: 'assistant',
    content: parts.map((part) => part.text ?? '').join(''),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(refusal ? { refusal } : {}),
  }
}

/** In the words of chat completions, so that a session reads the same whatever the wire format. */
function finishReason(incomplete: string | null, message: AssistantMessage): string {
  if (incomplete === 'max_output_tokens') return 'length'
  return incomplete ?? (message.toolCalls === undefined ? 'stop' : 'tool_calls')
}

function usageIn(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'usage' in body ? body.usage : undefined
}
