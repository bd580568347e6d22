import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PicoUsd } from '../../src/domain/cost.ts'
import { charge, type ProviderPrices, usageOf } from './provider-charge.ts'
import { type ProviderRequest, readRequest } from './provider-request.ts'
import { type Script, type ScriptedReply, type ScriptedStream, says } from './provider-script.ts'
import { sendStream } from './provider-stream.ts'
import { wordsOf } from './provider-stream-wire.ts'
import { chatCompletion, responsesReply, type ScriptedAnswer } from './provider-wire.ts'

export type { ProviderPrices } from './provider-charge.ts'
export type { ProviderRequest } from './provider-request.ts'
// A test imports what the provider says from the same place as the provider.
export * from './provider-script.ts'

/** Starts a server on a free port of this machine that speaks both of OpenAI's wire formats and says what it is told. */
export async function startProvider(
  script: Script,
  { prices = {} }: { readonly prices?: ProviderPrices } = {},
): Promise<ScriptedProvider> {
  const provider = new ScriptedProvider(script, prices)
  await provider.listen()
  return provider
}

export class ScriptedProvider {
  /** The base URL for an OpenAI client; it ends in `/v1`. */
  url = ''
  readonly requests: ProviderRequest[] = []
  /** Requests that came in whole and are not answered yet. */
  inFlight = 0
  inFlightMax = 0
  /** Requests whose client went away before the answer. */
  aborted = 0
  /** The exact sum of all usages that were sent, by the price table. Streams are charged piece by piece. */
  chargedPicoUsd: PicoUsd = 0
  /** Streams whose head was sent. */
  streamsBegun = 0
  /** Bytes that were written to streams, whether or not anybody has read them. */
  bytesStreamed = 0

  readonly #script: Script
  readonly #prices: ProviderPrices
  readonly #server: Server
  readonly #conditions = new Set<() => void>()
  #stuckStreams = 0
  #scriptError: unknown

  constructor(script: Script, prices: ProviderPrices) {
    this.#script = script
    this.#prices = prices
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing))
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  /** Resolves as soon as the condition holds. It is looked at after every event: no timers. */
  until(condition: (provider: ScriptedProvider) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition(this)) return
        this.#conditions.delete(check)
        resolve()
      }
      this.#conditions.add(check)
      check()
    })
  }

  /** Resolves once a stream is held up by a client that reads no more of it. */
  untilStuck(): Promise<void> {
    return this.until(() => this.#stuckStreams > 0)
  }

  /** Ends everything. Rejects with what a script threw, or when a script was shorter than the requests. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
    if (this.#scriptError !== undefined) throw this.#scriptError
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    // A request that breaks off half-way is none.
    const request = await readRequest(incoming, () => this.requests.length).catch(() => null)
    if (request === null) return
    this.#count(request, outgoing)
    try {
      const reply = await this.#nextReply(request)
      if (!outgoing.destroyed) await this.#send(reply, request, outgoing)
    } catch (error) {
      this.#scriptError ??= error
      // A client does not try again after a 400: the mistake shows at once.
      outgoing.writeHead(400).end()
    }
  }

  #count(request: ProviderRequest, outgoing: ServerResponse): void {
    this.requests.push(request)
    this.inFlight++
    this.inFlightMax = Math.max(this.inFlightMax, this.inFlight)
    outgoing.once('close', () => {
      this.inFlight--
      // What the script cuts off has an error, what the client gives up has none.
      if (!outgoing.writableFinished && outgoing.errored === null) this.aborted++
      this.#announce()
    })
    this.#announce()
  }

  #announce(): void {
    for (const check of this.#conditions) check()
  }

  async #nextReply(request: ProviderRequest): Promise<ScriptedReply> {
    const script = this.#script
    const line = await (typeof script === 'function' ? script(request, request.index) : script[request.index])
    if (line === undefined) throw new Error(`The script has no reply for request ${request.index}: ${request.lastText}`)
    return typeof line === 'string' ? says(line) : line
  }

  async #send(reply: ScriptedReply, request: ProviderRequest, outgoing: ServerResponse): Promise<void> {
    if (reply.kind === 'hang') return
    if (reply.kind === 'http') outgoing.writeHead(reply.status, reply.headers).end(reply.body)
    if (reply.kind === 'answer') await this.#sendAnswer(reply, request, outgoing)
    if (reply.kind === 'stream') await this.#sendStream(reply, request, outgoing)
    if (reply.kind === 'cut') {
      if (reply.inBody) {
        outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
        await new Promise((resolve) => outgoing.write('{"id":"half', resolve))
      }
      outgoing.destroy(new Error('The script cuts the connection.'))
    }
  }

  async #sendAnswer(answer: ScriptedAnswer, request: ProviderRequest, outgoing: ServerResponse): Promise<void> {
    if (request.body['stream'] === true) {
      const pieces = wordsOf(answer.text ?? '')
      return this.#sendStream({ kind: 'stream', pieces, ending: 'whole', answer, omits: {} }, request, outgoing)
    }
    const wire = this.#wireOf(answer, request)
    this.chargedPicoUsd += this.#chargeOf(answer, request)
    const body = JSON.stringify(request.path === '/v1/responses' ? responsesReply(wire) : chatCompletion(wire))
    outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    outgoing.end(body)
  }

  async #sendStream(stream: ScriptedStream, request: ProviderRequest, outgoing: ServerResponse): Promise<void> {
    const { answer, ending } = stream
    if (request.body['stream'] !== true) {
      if (ending === 'whole') return this.#sendAnswer(answer, request, outgoing)
      throw new Error(`The script streams, but request ${request.index} asks for no stream.`)
    }
    let charged = 0
    await sendStream(stream, this.#wireOf(answer, request), request, outgoing, {
      charge: (text) => {
        const charge = this.#chargeOf({ ...answer, text }, request)
        this.chargedPicoUsd += charge - charged
        charged = charge
      },
      begun: () => {
        this.streamsBegun++
        this.#announce()
      },
      wrote: (bytes) => {
        this.bytesStreamed += bytes
        this.#announce()
      },
      heldUp: (change) => {
        this.#stuckStreams += change
        this.#announce()
      },
    })
  }

  #wireOf(answer: ScriptedAnswer, request: ProviderRequest) {
    return { index: request.index, model: answer.model ?? request.model, answer, usage: usageOf(answer, request) }
  }

  #chargeOf(answer: ScriptedAnswer, request: ProviderRequest): PicoUsd {
    if (answer.rawUsage !== undefined) return 0
    return charge(this.#prices, answer.model ?? request.model, usageOf(answer, request))
  }
}
