import type { FastifyReply, FastifyRequest } from 'fastify'
import { openWriter } from './response-writer.ts'

export const eventStreamMediaType = 'text/event-stream'

/** A connection on which nothing is heard for longer than this may be cut by whoever is in between. */
const heartbeatMs = 15_000

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), numbered from 1. */
export interface EventStream {
  /** Sends an event. While the reader is behind it returns a promise of room for the next one, which never rejects. */
  send(name: string, data: unknown): void | Promise<void>
  /** Whether so much waits for the reader that nothing should be added that can be left out. */
  readonly isFarBehind: boolean
  /** Sends how the call ended, then `end`. Nothing is sent afterwards. */
  finish(name: 'result' | 'error', data: unknown): void
}

/** Begins to answer with events. `signal` is what stops the call. */
export function openEventStream(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): EventStream {
  const { world, shutdown } = request.server.lllm
  const { clock } = world
  const writer = openWriter(reply, { contentType: eventStreamMediaType, clock, signal })
  const ended = new AbortController()
  let lastId = 0

  const send: EventStream['send'] = (name, data) => {
    // JSON has no line breaks outside of its strings, and none inside: it is one line of data.
    const json = JSON.stringify(data)
    lastId += 1
    return writer.write(`id: ${lastId}\nevent: ${name}\ndata: ${json}\n\n`)
  }
  const beat = async () => {
    for (;;) {
      await clock.sleep(heartbeatMs, ended.signal)
      // A reader who is behind has something to hear already.
      if (writer.isDrained) void writer.write(': heartbeat\n\n')
    }
  }
  beat().catch(() => {})
  return {
    send,
    get isFarBehind() {
      return writer.isFarBehind
    },
    finish(name, data) {
      ended.abort()
      void send(name, data)
      void send('end', { end: true })
      writer.end(shutdown.begun)
    },
  }
}
