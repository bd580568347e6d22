import type { Usage } from '../../src/domain/cost.ts'

/** A message or input item as it came over the wire: only what tests look at is named. */
export interface WireMessage {
  readonly role?: string
  readonly type?: string
  readonly content?: unknown
  readonly name?: string
  readonly tool_calls?: readonly {
    readonly id: string
    readonly function: { readonly name: string; readonly arguments: string }
  }[]
  readonly tool_call_id?: string
  readonly call_id?: string
  readonly output?: unknown
  readonly arguments?: string
}

export interface ScriptedToolCall {
  readonly name: string
  /** An object is sent as its JSON; a string is sent as it is, be it JSON or not. */
  readonly args: unknown
  /** Default: `call_<request>_<position>`. */
  readonly id?: string
}

/** What the model says, in no wire format. */
export interface ScriptedAnswer {
  readonly kind: 'answer'
  readonly text: string | null
  readonly toolCalls: readonly ScriptedToolCall[]
  readonly refusal?: string
  /** Left out: derived from the lengths of the texts. Null: the reply has no usage. */
  readonly usage?: Partial<Usage> | null
  /** Sent as the usage whatever it is; nothing is charged for it. */
  readonly rawUsage?: unknown
  readonly finishReason?: string | null
  /** Default: the model that was asked for. */
  readonly model?: string
  /** Leaves out the choices (or the output), though there is a usage. */
  readonly empty?: boolean
}

/** The facts of an answer that a wire format needs. */
export interface WireAnswer {
  readonly index: number
  readonly model: string
  readonly answer: ScriptedAnswer
  readonly usage: Usage | null
}

/** All text of a message's content, of either wire format. */
export function wireText(message: WireMessage): string {
  const content = message.content ?? message.output ?? ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { readonly text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('')
}

/** The body of a chat completion. */
export function chatCompletion({ index, model, answer, usage }: WireAnswer): object {
  const toolCalls = answer.toolCalls.map((call, position) => ({
    id: callId(call, index, position),
    type: 'function',
    function: { name: call.name, arguments: argumentsText(call) },
  }))
  const message = {
    role: 'assistant',
    content: answer.text,
    refusal: answer.refusal ?? null,
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  }
  const finish_reason = finishReasonOf(answer)
  return {
    id: `chatcmpl-${index}`,
    object: 'chat.completion',
    created: 0,
    model,
    choices: answer.empty ? [] : [{ index: 0, message, logprobs: null, finish_reason }],
    ...withUsage(answer, usage, (known) => ({
      prompt_tokens: known.promptTokens,
      completion_tokens: known.completionTokens,
      total_tokens: known.promptTokens + known.completionTokens,
      prompt_tokens_details: { cached_tokens: known.cachedPromptTokens, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: known.reasoningTokens, audio_tokens: 0 },
    })),
  }
}

/** The body of a response of the responses API. */
export function responsesReply({ index, model, answer, usage }: WireAnswer): object {
  const toolCalls = answer.toolCalls.map((call, position) => ({
    type: 'function_call',
    id: `fc_${index}_${position}`,
    call_id: callId(call, index, position),
    name: call.name,
    arguments: argumentsText(call),
    status: 'completed',
  }))
  const content = [
    ...(answer.text === null ? [] : [{ type: 'output_text', text: answer.text, annotations: [] }]),
    ...(answer.refusal === undefined ? [] : [{ type: 'refusal', refusal: answer.refusal }]),
  ]
  const message = { type: 'message', id: `msg_${index}`, role: 'assistant', status: 'completed', content }
  const isCutShort = answer.finishReason === 'length'
  return {
    id: `resp_${index}`,
    object: 'response',
    created_at: 0,
    model,
    status: isCutShort ? 'incomplete' : 'completed',
    incomplete_details: isCutShort ? { reason: 'max_output_tokens' } : null,
    error: null,
    output: answer.empty ? [] : [...(content.length > 0 ? [message] : []), ...toolCalls],
    ...withUsage(answer, usage, (known) => ({
      input_tokens: known.promptTokens,
      input_tokens_details: { cached_tokens: known.cachedPromptTokens },
      output_tokens: known.completionTokens,
      output_tokens_details: { reasoning_tokens: known.reasoningTokens },
      total_tokens: known.promptTokens + known.completionTokens,
    })),
  }
}

function withUsage(answer: ScriptedAnswer, usage: Usage | null, format: (usage: Usage) => object): object {
  if (answer.rawUsage !== undefined) return { usage: answer.rawUsage }
  return usage === null ? {} : { usage: format(usage) }
}

function finishReasonOf(answer: ScriptedAnswer): string | null {
  if (answer.finishReason !== undefined) return answer.finishReason
  return answer.toolCalls.length > 0 ? 'tool_calls' : 'stop'
}

/** The id of a tool call, where the script gives none. */
export function callId(call: ScriptedToolCall, index: number, position: number): string {
  return call.id ?? `call_${index}_${position}`
}

function argumentsText({ args }: ScriptedToolCall): string {
  return typeof args === 'string' ? args : JSON.stringify(args)
}
