import { LllmError } from '../domain/errors.ts'
import { type Invoker, type ModelReply, type ModelRequest, ProviderError } from '../domain/invoker.ts'
import { readChatReply, toChatBody } from './openai-chat.ts'
import type { OpenAiAccess, OpenAiClient } from './openai-client.ts'
import { readResponsesReply, toResponsesBody } from './openai-responses.ts'
import { garbled, type SystemRole } from './openai-wire.ts'

export interface OpenAiInvokerOptions extends OpenAiAccess {
  readonly name: string
  /** Default `developer`. */
  readonly systemRole?: SystemRole
}

/** Where the SDK sends requests when no base URL is given. */
const openAiUrl = 'https://api.openai.com/v1'

const wireFormats = {
  completion: { path: '/chat/completions', toBody: toChatBody, readReply: readChatReply },
  response: { path: '/responses', toBody: toResponsesBody, readReply: readResponsesReply },
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
    async invoke(request, signal) {
      signal.throwIfAborted()
      loading ??= loadSdk(access)
      return ask(await loading, request, systemRole, signal)
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

async function ask(sdk: Sdk, request: ModelRequest, systemRole: SystemRole, signal: AbortSignal): Promise<ModelReply> {
  const { path, toBody, readReply } = wireFormats[request.apiType]
  const text = await sdk.client.post(path, toBody(request, systemRole), signal).then(
    (reply) => reply.text(),
    (thrown: unknown) => {
      signal.throwIfAborted()
      throw sdk.toProviderError(thrown)
    },
  )
  try {
    return readReply(JSON.parse(text))
  } catch (error) {
    // Besides text that is not JSON, this catches nesting that is too deep to be read.
    throw error instanceof ProviderError ? error : garbled('something that cannot be read', null)
  }
}
