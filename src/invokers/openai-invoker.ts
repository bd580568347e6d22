import { LllmError } from '../domain/errors.ts'
import { type Invoker, type ModelReply, type ModelRequest, type OnDelta, ProviderError } from '../domain/invoker.ts'
import type { HttpReply } from './http-reply.ts'
import { readChatReply, toChatBody } from './openai-chat.ts'
import { ChatStream } from './openai-chat-stream.ts'
import type { OpenAiAccess, OpenAiClient } from './openai-client.ts'
import { readResponsesReply, toResponsesBody } from './openai-responses.ts'
import { ResponsesStream } from './openai-responses-stream.ts'
import { garbled, type SystemRole } from './openai-wire.ts'
import { readReplyStream } from './read-reply-stream.ts'
import type { ReplyStream } from './reply-stream.ts'

export interface OpenAiInvokerOptions extends OpenAiAccess {
  readonly name: string
  /** Default `developer`. */
  readonly systemRole?: SystemRole
}

/** Where the SDK sends requests when no base URL is given. */
const openAiUrl = 'https://api.openai.com/v1'

interface WireFormat {
  readonly path: string
  /** What in a body asks for a stream. */
  readonly streamArgs: object
  toBody(request: ModelRequest, systemRole: SystemRole): object
  readReply(body: unknown): ModelReply
  openStream(): ReplyStream
}

const wireFormats: Readonly<Record<ModelRequest['apiType'], WireFormat>> = {
  completion: {
    path: '/chat/completions',
    streamArgs: { stream: true, stream_options: { include_usage: true } },
    toBody: toChatBody,
    readReply: readChatReply,
    openStream: () => new ChatStream(),
  },
  response: {
    path: '/responses',
    streamArgs: { stream: true },
    toBody: toResponsesBody,
    readReply: readResponsesReply,
    openStream: () => new ResponsesStream(),
  },
}

/**
 * Asks OpenAI, or a server that speaks as OpenAI does.
 *
 * @throws LllmError `invalid-settings` when the key could not be sent.
 */
export function createOpenAiInvoker({ name, systemRole = 'developer', ...access }: OpenAiInvokerOptions): Invoker {
  if (access.apiKey !== undefined && !/^[\x21-\x7e]+$/.test(access.apiKey)) {
    throw new LllmError('invalid-settings', `The API key of "${name}" has a space or another character that keys lack.`)
  }
  let loading: Promise<Sdk> | undefined
  return {
    name,
    simulated: false,
    apiUrl: access.baseUrl ?? openAiUrl,
    async invoke(request, signal, onDelta) {
      signal.throwIfAborted()
      loading ??= loadSdk(access)
      const format = wireFormats[request.apiType]
      const body = format.toBody(request, systemRole)
      const { trace } = request
      if (onDelta === undefined) return readWhole(await send(await loading, format, body, signal, trace), format)
      const reply = await send(await loading, format, { ...body, ...format.streamArgs }, signal, trace)
      return readStreamed(reply, format, signal, onDelta)
    },
    async close() {
      await (await loading)?.client.close()
    },
  }
}

interface Sdk {
  readonly client: OpenAiClient
  readonly toProviderError: (thrown: unknown) => unknown
}

/** The SDK takes about 100 ms to load, which a start should not wait for. */
async function loadSdk(access: OpenAiAccess): Promise<Sdk> {
  const [{ createOpenAiClient }, { toProviderError }] = await Promise.all([
    import('./openai-client.ts'),
    import('./openai-failure.ts'),
  ])
  return { client: createOpenAiClient(access), toProviderError }
}

function send(
  { client, toProviderError }: Sdk,
  { path }: WireFormat,
  body: object,
  signal: AbortSignal,
  trace: ModelRequest['trace'],
): Promise<HttpReply> {
  return client.post(path, body, signal, trace).catch((thrown: unknown) => {
    signal.throwIfAborted()
    throw toProviderError(thrown)
  })
}

async function readWhole(reply: HttpReply, { readReply }: WireFormat): Promise<ModelReply> {
  const text = await reply.text()
  try {
    return readReply(JSON.parse(text))
  } catch (error) {
    // Besides text that is not JSON, this catches nesting that is too deep to be read.
    throw error instanceof ProviderError ? error : garbled('something that cannot be read', null)
  }
}

async function readStreamed(
  reply: HttpReply,
  format: WireFormat,
  signal: AbortSignal,
  onDelta: OnDelta,
): Promise<ModelReply> {
  const isStream = !reply.headers.get('content-type')?.startsWith('application/json')
  if (isStream) return readReplyStream(reply, format.openStream(), signal, onDelta)
  // Some servers do not stream, whatever they are asked.
  const whole = await readWhole(reply, format)
  if (whole.message.content !== '') await onDelta(whole.message.content)
  return whole
}
