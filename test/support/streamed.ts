import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import type { ApiType, Invoker, ModelReply } from '../../src/domain/invoker.ts'
import { createOpenAiInvoker } from '../../src/invokers/openai-invoker.ts'
import { modelRequest, noAbort, rejection } from './invoker-fixtures.ts'
import { type Script, type ScriptedProvider, type ScriptedReply, startProvider, status } from './scripted-provider.ts'

const opened: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close()
})

/** An invoker that is closed after the test. */
export function openInvokerAt(baseUrl: string): Invoker {
  const invoker = createOpenAiInvoker({ name: 'openai', baseUrl })
  opened.push(invoker)
  return invoker
}

/** A provider with an invoker for it; both are closed after the test. */
export async function openInvoker(
  script: Script,
): Promise<{ readonly provider: ScriptedProvider; readonly invoker: Invoker }> {
  const provider = await startProvider(script)
  opened.push({ close: () => provider.close() })
  return { provider, invoker: openInvokerAt(provider.url) }
}

/** Streams one reply, and gives it with the pieces in which it came. */
export async function stream(
  invoker: Invoker,
  apiType: ApiType,
  signal = noAbort,
): Promise<{ readonly reply: ModelReply; readonly pieces: readonly string[] }> {
  const pieces: string[] = []
  const reply = await invoker.invoke(modelRequest({ apiType }), signal, (text) => {
    pieces.push(text)
  })
  return { reply, pieces }
}

export async function streamOnce(script: Script, apiType: ApiType) {
  return stream((await openInvoker(script)).invoker, apiType)
}

/** What the one streamed request to a provider that answers so rejects with. */
export async function streamFailure(script: Script, apiType: ApiType): Promise<unknown> {
  return rejection(streamOnce(script, apiType))
}

/** A server that answers each request with server-sent events in its own way. It gives its base URL. */
export async function serveEvents(answer: RequestListener): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
    answer(incoming, outgoing)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  opened.push({
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

/** A stream that is given as it goes over the wire. */
export function events(body: string): ScriptedReply {
  return status(200, { headers: { 'content-type': 'text/event-stream' }, body })
}

/** A message with this text and nothing else. */
export function said(content: string): object {
  return { role: 'assistant', content }
}
