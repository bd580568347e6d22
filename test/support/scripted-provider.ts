import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PicoUsd } from '../../src/domain/cost.ts'
import { charge, type ProviderPrices, usageOf } from './provider-charge.ts'
import { type ProviderRequest, readRequest } from './provider-request.ts'
import { chatCompletion, responsesReply, type ScriptedAnswer, type ScriptedToolCall } from './provider-wire.ts'

export type { ProviderPrices } from './provider-charge.ts'
export type { ProviderRequest } from './provider-request.ts'

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

export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

/** Something to wait at: `async () => { await gate.opened; return says('late') }`, or `after(gate, says('late'))`. */
export function createGate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: () => resolve() }
}

/** Replies as soon as the gate is open. */
export async function after(gate: Gate, line: ScriptLine): Promise<ScriptLine> {
  await gate.opened
  return line
}

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
  /** The exact sum of all usages that were sent, by the price table. */
  chargedPicoUsd: PicoUsd = 0

  readonly #script: Script
  readonly #prices: ProviderPrices
  readonly #server: Server
  readonly #conditions = new Set<() => void>()
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
    if (reply.kind === 'answer') this.#sendAnswer(reply, request, outgoing)
    if (reply.kind === 'cut') {
      if (reply.inBody) {
        outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
        await new Promise((resolve) => outgoing.write('{"id":"half', resolve))
      }
      outgoing.destroy(new Error('The script cuts the connection.'))
    }
  }

  #sendAnswer(answer: ScriptedAnswer, request: ProviderRequest, outgoing: ServerResponse): void {
    const usage = usageOf(answer, request)
    const model = answer.model ?? request.model
    if (answer.rawUsage === undefined) this.chargedPicoUsd += charge(this.#prices, model, usage)
    const format = request.path === '/v1/responses' ? responsesReply : chatCompletion
    const body = JSON.stringify(format({ index: request.index, model, answer, usage }))
    outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    outgoing.end(body)
  }
}
