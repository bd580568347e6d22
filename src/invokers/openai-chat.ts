import { z } from 'zod'
import type { ModelReply, ModelRequest } from '../domain/invoker.ts'
import type { AssistantMessage, Message, Part } from '../domain/message.ts'
import { readChatUsage } from './openai-usage.ts'
import {
  allowedArgs,
  garbled,
  imageUrl,
  jsonSchemaFormat,
  type SystemRole,
  toolCallsMax,
  toToolCall,
  wireName,
} from './openai-wire.ts'

/** A request as the body of `POST /chat/completions`. */
export function toChatBody(request: ModelRequest, systemRole: SystemRole): object {
  const { model, messages, modelArgs, tools } = request
  const schema = jsonSchemaFormat(request.format)
  return {
    ...allowedArgs(modelArgs, tools.length > 0),
    model,
    messages: messages.map((message) => toChatMessage(message, systemRole)),
    ...(tools.length > 0 ? { tools: tools.map((tool) => ({ type: 'function', function: tool })) } : {}),
    ...(schema === undefined ? {} : { response_format: { type: 'json_schema', json_schema: schema } }),
  }
}

function toChatMessage(message: Message, systemRole: SystemRole): object {
  if (message.role === 'system') return { role: systemRole, content: message.content }
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
  const name = message.name ? { name: wireName(message.name) } : {}
  if (message.role === 'assistant') return { ...toChatAssistant(message), ...name }
  const { content } = message
  return { role: 'user', content: typeof content === 'string' ? content : content.map(toChatPart), ...name }
}

function toChatAssistant({ content, toolCalls = [], refusal }: AssistantMessage): object {
  const calls = toolCalls.map(({ id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }))
  const saysMore = calls.length > 0 || refusal !== undefined
  return {
    role: 'assistant',
    // An empty text is sent only where it is all that was said.
    content: content === '' && saysMore ? null : content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(refusal === undefined ? {} : { refusal }),
  }
}

function toChatPart(part: Part): object {
  return part.type === 'text' ? part : { type: 'image_url', image_url: { url: imageUrl(part) } }
}

const text = z.string().nullish()
const lenientText = z.string().nullish().catch(null)

const chatReply = z.object({
  id: lenientText,
  model: lenientText,
  choices: z.array(z.unknown()).min(1),
})

const chatChoice = z.object({
  finish_reason: lenientText,
  message: z.object({
    content: z.union([z.string(), z.array(z.object({ text, refusal: text }))]).nullish(),
    refusal: text,
    tool_calls: z
      .array(
        z.object({
          id: z.unknown().optional(),
          function: z.object({ name: z.string(), arguments: z.unknown().optional() }),
        }),
      )
      .max(toolCallsMax)
      .nullish(),
  }),
})

/**
 * Reads the body of a chat completion: its first choice.
 *
 * @throws ProviderError `garbled`, with the usage where there is one.
 */
export function readChatReply(body: unknown): ModelReply {
  const usage = readChatUsage(usageIn(body))
  const reply = chatReply.safeParse(body).data
  if (reply === undefined) throw garbled('something that is not a chat completion, or has no choices', usage)
  const choice = chatChoice.safeParse(reply.choices[0]).data
  if (choice === undefined) throw garbled('a chat completion whose message cannot be read', usage)
  return {
    id: reply.id ?? null,
    model: reply.model ?? null,
    message: readMessage(choice.message),
    finishReason: choice.finish_reason ?? null,
    usage,
  }
}

function readMessage(message: z.output<typeof chatChoice>['message']): AssistantMessage {
  const parts = Array.isArray(message.content) ? message.content : [{ text: message.content, refusal: null }]
  const refusal = message.refusal ?? parts.find((part) => part.refusal)?.refusal
  const toolCalls = (message.tool_calls ?? []).map((call, position) =>
    toToolCall(call.id, call.function.name, call.function.arguments, position),
  )
  return {
    role: 'assistant',
    content: parts.map((part) => part.text ?? '').join(''),
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(refusal ? { refusal } : {}),
  }
}

function usageIn(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'usage' in body ? body.usage : undefined
}
