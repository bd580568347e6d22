import type { ProviderRequest } from './provider-request.ts'
import type { ScriptedAnswer, ScriptedToolCall } from './provider-wire.ts'

export type ScriptedReply =
  | ScriptedAnswer
  | {
      readonly kind: 'http'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    }
  | { readonly kind: 'cut'; readonly inBody: boolean }
  | { readonly kind: 'hang' }
  | ScriptedStream

/** A string is short for `says(string)`. */
export type ScriptLine = ScriptedReply | string
/** Either what to reply to the first request, the second …, or a function that looks at each request. */
export type Script =
  | readonly (ScriptLine | Promise<ScriptLine>)[]
  | ((request: ProviderRequest, index: number) => ScriptLine | Promise<ScriptLine>)

type AnswerDetails = Partial<Omit<ScriptedAnswer, 'kind' | 'text' | 'toolCalls'>>

/** A plain reply. */
export function says(text: string | null, details: AnswerDetails = {}): ScriptedAnswer {
  return { kind: 'answer', text, toolCalls: [], ...details }
}

/** A plain reply that is the JSON of a value. */
export function json(value: unknown, details: AnswerDetails = {}): ScriptedAnswer {
  return says(JSON.stringify(value), details)
}

export function refuses(refusal: string, details: AnswerDetails = {}): ScriptedAnswer {
  return says(null, { refusal, ...details })
}

export function callsTool(name: string, args: unknown, details: AnswerDetails & { readonly id?: string } = {}) {
  const { id, ...rest } = details
  return callsTools([{ name, args, ...(id === undefined ? {} : { id }) }], rest)
}

/** A reply with several tool calls, and a text beside them if `text` is given. */
export function callsTools(
  toolCalls: readonly ScriptedToolCall[],
  details: AnswerDetails & { readonly text?: string } = {},
): ScriptedAnswer {
  return { kind: 'answer', text: null, ...details, toolCalls }
}

/** A paid reply without any choice in it. */
export function emptyChoices(details: AnswerDetails = {}): ScriptedAnswer {
  return says(null, { empty: true, ...details })
}

/** Any HTTP answer. A body that is not a string is sent as JSON; left out, it is an error in OpenAI's format. */
export function status(
  code: number,
  answer: { readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown } = {},
): ScriptedReply {
  const { headers, body = { error: { message: 'SECRET words of the provider', type: 'scripted', code: null } } } =
    answer
  return {
    kind: 'http',
    status: code,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }
}

/** A page with status 200, such as a proxy in between may give. */
export function html(): ScriptedReply {
  return status(200, { headers: { 'content-type': 'text/html' }, body: '<html><body>Welcome</body></html>' })
}

/** Cuts the connection, before the answer or with half of its body sent. */
export function cutSocket({ inBody = false } = {}): ScriptedReply {
  return { kind: 'cut', inBody }
}

/** Never answers. It ends when the client goes away, or with the provider. */
export function hang(): ScriptedReply {
  return { kind: 'hang' }
}

/** How a stream ends: as it should, or not at all, or in the middle. */
export type StreamEnding = 'whole' | 'stalled' | 'cut' | 'half-event' | 'error-frame' | 'garbage' | 'endless'

/** A reply of which the script says in what pieces it is streamed. */
export interface ScriptedStream {
  readonly kind: 'stream'
  readonly pieces: readonly (string | Gate)[]
  readonly ending: StreamEnding
  readonly answer: ScriptedAnswer
  readonly omits: StreamOmissions
}

/** What a stream lacks, though the provider charges for it as ever. */
export interface StreamOmissions {
  /** The finish reason, or the event that completes a response. */
  readonly omitFinish?: boolean
  readonly omitUsage?: boolean
  /** The `[DONE]` of chat completions. */
  readonly omitDone?: boolean
}

/** The text in these pieces; at a gate the stream waits. A request that asks for no stream gets the text as a whole. */
export function streams(
  pieces: readonly (string | Gate)[],
  { omitFinish, omitUsage, omitDone, ...details }: AnswerDetails & StreamOmissions = {},
): ScriptedStream {
  const omits = { omitFinish: omitFinish === true, omitUsage: omitUsage === true, omitDone: omitDone === true }
  return { ...breaksOff('whole', pieces, details), omits }
}

/** Streams the same piece for ever, as fast as the socket takes it. */
export function endless(piece: string): ScriptedStream {
  return breaksOff('endless', [piece])
}

/** Sends the head of the reply, and then nothing. */
export function stallAfterHeaders(): ScriptedStream {
  return breaksOff('stalled', [])
}

/** Sends these pieces, and then nothing. */
export function stallAfter(pieces: readonly (string | Gate)[], details: AnswerDetails = {}): ScriptedStream {
  return breaksOff('stalled', pieces, details)
}

/** Sends these pieces, and cuts the connection. */
export function cutAfter(pieces: readonly (string | Gate)[], details: AnswerDetails = {}): ScriptedStream {
  return breaksOff('cut', pieces, details)
}

/** Ends in the middle of an event. */
export function halfEvent(pieces: readonly (string | Gate)[] = [], details: AnswerDetails = {}): ScriptedStream {
  return breaksOff('half-event', pieces, details)
}

/** Ends with an error of the provider, in its stream. */
export function errorFrame(pieces: readonly (string | Gate)[] = [], details: AnswerDetails = {}): ScriptedStream {
  return breaksOff('error-frame', pieces, details)
}

/** Ends with an event that is no JSON. */
export function garbage(pieces: readonly (string | Gate)[] = [], details: AnswerDetails = {}): ScriptedStream {
  return breaksOff('garbage', pieces, details)
}

function breaksOff(
  ending: StreamEnding,
  pieces: readonly (string | Gate)[],
  details: AnswerDetails = {},
): ScriptedStream {
  const text = pieces.filter((piece) => typeof piece === 'string').join('')
  return { kind: 'stream', pieces, ending, answer: says(text, details), omits: {} }
}

export interface Gate {
  readonly opened: Promise<void>
  readonly isOpen: boolean
  open(): void
}

/** Something to wait at: `async () => { await gate.opened; return says('late') }`, or `after(gate, says('late'))`. */
export function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isOpen = false
  return {
    opened: promise,
    get isOpen() {
      return isOpen
    },
    open() {
      isOpen = true
      resolve()
    },
  }
}

/** Replies as soon as the gate is open. */
export async function after(gate: Gate, line: ScriptLine): Promise<ScriptLine> {
  await gate.opened
  return line
}
