import type { StreamOmissions } from './provider-script.ts'
import { callId, chatCompletion, responsesReply, type ScriptedAnswer, type WireAnswer } from './provider-wire.ts'

/** The frames of a streamed reply, in one of the wire formats. */
export interface StreamFrames {
  readonly opening: readonly string[]
  piece(text: string): string
  /** Everything after the text: refusal, tool calls, how it ended, and the usage. */
  readonly closing: readonly string[]
  readonly error: string
}

const failure = { message: 'SECRET words of the provider', type: 'server_error', code: null, param: null }

/** Usage is sent where the request asks for it. */
export function chatFrames(wire: WireAnswer, includesUsage: boolean, omits: StreamOmissions): StreamFrames {
  const whole = chatCompletion(wire) as {
    readonly choices: readonly { readonly finish_reason: string | null }[]
    readonly usage?: unknown
  }
  const base = { id: `chatcmpl-${wire.index}`, object: 'chat.completion.chunk', created: 0, model: wire.model }
  const nothingYet = includesUsage ? { usage: null } : {}
  const chunk = (delta: object, finish_reason: string | null = null) =>
    dataFrame({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...nothingYet })
  const finishReason = whole.choices[0]?.finish_reason ?? null
  const { answer } = wire
  return {
    opening: answer.empty ? [] : [chunk({ role: 'assistant', content: answer.text === null ? null : '' })],
    piece: (content) => chunk({ content }),
    closing: [
      ...wordsOf(answer.refusal ?? '').map((refusal) => chunk({ refusal })),
      ...chatCallDeltas(wire).map((call) => chunk({ tool_calls: [call] })),
      ...(finishReason === null || omits.omitFinish ? [] : [chunk({}, finishReason)]),
      ...(includesUsage && !omits.omitUsage && 'usage' in whole
        ? [dataFrame({ ...base, choices: [], usage: whole.usage })]
        : []),
      ...(omits.omitDone ? [] : ['data: [DONE]\n\n']),
    ],
    error: dataFrame({ error: failure }),
  }
}

/** Each call is opened with its id and name; its arguments follow in two halves, those of parallel calls in turn. */
function chatCallDeltas({ answer, index: request }: WireAnswer): readonly object[] {
  const calls = answer.toolCalls.map((call, index) => ({ call, index, halves: halvesOf(argumentsOf(call.args)) }))
  return [
    ...calls.map(({ call, index }) => ({
      index,
      id: callId(call, request, index),
      type: 'function',
      function: { name: call.name, arguments: '' },
    })),
    ...[0, 1].flatMap((half) =>
      calls.map(({ index, halves }) => ({ index, function: { arguments: halves[half] ?? '' } })),
    ),
  ]
}

export function responsesFrames(wire: WireAnswer, omits: StreamOmissions): StreamFrames {
  const whole = responsesReply(wire) as {
    readonly status: string
    readonly output: readonly { readonly type: string; readonly id: string; readonly arguments?: string }[]
  }
  const unfinished = { ...whole, usage: null, status: 'in_progress', output: [] }
  const response = omits.omitUsage ? { ...whole, usage: null } : whole
  return {
    opening: [
      ...['created', 'in_progress'].map((type) => typedFrame(`response.${type}`, { response: unfinished })),
      ...whole.output
        .slice(0, 1)
        .filter(({ type }) => type === 'message')
        .map((item) => typedFrame('response.output_item.added', { output_index: 0, item: { ...item, content: [] } })),
    ],
    piece: (delta) =>
      typedFrame('response.output_text.delta', {
        item_id: `msg_${wire.index}`,
        output_index: 0,
        content_index: 0,
        delta,
      }),
    closing: [
      ...wordsOf(wire.answer.refusal ?? '').map((delta) =>
        typedFrame('response.refusal.delta', { output_index: 0, content_index: 0, delta }),
      ),
      ...whole.output.flatMap((item, output_index) => [
        ...(item.type === 'function_call' ? responsesCallFrames(item, output_index) : []),
        typedFrame('response.output_item.done', { output_index, item }),
      ]),
      ...(omits.omitFinish ? [] : [typedFrame(`response.${whole.status}`, { response })]),
    ],
    error: typedFrame('error', failure),
  }
}

function responsesCallFrames(item: { readonly id: string; readonly arguments?: string }, output_index: number) {
  return [
    typedFrame('response.output_item.added', { output_index, item: { ...item, arguments: '', status: 'in_progress' } }),
    ...halvesOf(item.arguments ?? '').map((delta) =>
      typedFrame('response.function_call_arguments.delta', { item_id: item.id, output_index, delta }),
    ),
  ]
}

/** The pieces in which a text is streamed, where the script says nothing about them. */
export function wordsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\s)(?=\S)/)
}

function argumentsOf(args: ScriptedAnswer['toolCalls'][number]['args']): string {
  return typeof args === 'string' ? args : JSON.stringify(args)
}

function halvesOf(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2)
  return text === '' ? [] : [text.slice(0, middle), text.slice(middle)]
}

function dataFrame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

function typedFrame(type: string, data: object): string {
  return `event: ${type}\n${dataFrame({ ...data, type })}`
}
