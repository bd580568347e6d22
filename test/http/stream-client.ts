import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { Clock, World } from '../../src/domain/clock.ts'
import type { Emit, EngineEvent } from '../../src/domain/event.ts'
import type { CallOptions, Engine } from '../../src/engine/engine.ts'
import { systemWorld } from '../../src/system-world.ts'

export interface StreamEvent {
  readonly id: number
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Posts JSON. An abort of the signal closes the socket. */
export function post(url: string, payload: object, request: Pick<RequestInit, 'headers' | 'signal'> = {}) {
  const headers = { 'content-type': 'application/json', ...request.headers }
  return fetch(url, { ...request, method: 'POST', headers, body: JSON.stringify(payload) })
}

/** The lines of an answer, as they come. */
export function linesOf({ body }: Response): AsyncIterable<string> {
  if (body === null) throw new Error('The answer has no body.')
  return createInterface({ input: Readable.fromWeb(body) })
}

/** The events of an answer, as they come. Comments are left out. */
export async function* eventsOf(response: Response): AsyncGenerator<StreamEvent, void, undefined> {
  let fields: Record<string, string> = {}
  for await (const line of linesOf(response)) {
    const [, field = '', value = ''] = /^(\w*): ?(.*)$/.exec(line) ?? []
    if (line !== '') fields[field] = value
    else if (fields['data'] === undefined) fields = {}
    else {
      yield { id: Number(fields['id']), name: fields['event'] ?? '', data: JSON.parse(fields['data']) }
      fields = {}
    }
  }
}

export async function readEvents(response: Response): Promise<readonly StreamEvent[]> {
  return Array.fromAsync(eventsOf(response))
}

/** Posts on a bare socket, reads the first bytes of the answer and then reads no more. */
export async function postAndPause(baseUrl: string, path: string, payload: object) {
  const body = JSON.stringify(payload)
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`
  return sendAndPause(baseUrl, `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** The same, with a GET. */
export async function getAndPause(baseUrl: string, path: string) {
  return sendAndPause(baseUrl, `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
}

async function sendAndPause(baseUrl: string, request: string) {
  const { hostname, port } = new URL(baseUrl)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  socket.write(request)
  await once(socket, 'data')
  socket.pause()
  return socket
}

/** What an agent's reply looks like while it comes. */
export function delta(text: string): EngineEvent {
  const place = { sessionId: 's', path: ['shout'], callId: 'c', agent: 'shouter', dialog: 'shout' }
  return { type: 'agent.delta', ...place, step: 0, attempt: 0, text }
}

type Produce = (emit: Emit, signal: AbortSignal) => Promise<void>

/** Has every call emit what a test says, before it is executed without a further event. */
export function producing(produce: Produce): (real: Engine) => Engine {
  return (real) => ({
    ...real,
    async execute(call, { emit, signal, ...options }: CallOptions = {}) {
      if (emit === undefined || signal === undefined) throw new Error('A stream gives both.')
      await produce(emit, signal)
      return real.execute(call, { ...options, signal })
    },
  })
}

/** A world in which waits end when a test says so. */
export function heldWorld() {
  const sleeps = new Set<{ readonly durationMs: number; wake: () => void }>()
  const clock: Clock = {
    ...systemWorld.clock,
    random: () => 0,
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const leave = () => {
          sleeps.delete(sleep)
          signal.removeEventListener('abort', onAbort)
        }
        const onAbort = () => {
          leave()
          reject(signal.reason)
        }
        const sleep = {
          durationMs,
          wake() {
            leave()
            resolve()
          },
        }
        signal.addEventListener('abort', onAbort)
        sleeps.add(sleep)
      }),
  }
  const world: World = { ...systemWorld, clock }
  return {
    world,
    /** How long is being waited for, in ms. */
    waits: () => [...sleeps].map(({ durationMs }) => durationMs),
    /** Ends all waits of this length. */
    pass(durationMs: number) {
      for (const sleep of [...sleeps]) if (sleep.durationMs === durationMs) sleep.wake()
    },
  }
}
