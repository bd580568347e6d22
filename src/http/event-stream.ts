import type { FastifyReply, FastifyRequest } from 'fastify'
import { openWriter } from './response-writer.ts'

export const eventStreamMediaType = 'text/event-stream'

/** A connection on which nothing is heard for longer than this may be cut by whoever is in between. */
const heartbeatMs = 15_000

/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), numbered from 1. */
export interface EventStream {
  /** Sends an event, which has the next number where it has none of its own. While the reader is behind it returns a promise of room for the next one, which never rejects. */
  send(name: string, data: unknown, id?: number): void | Promise<void>
  /** Whether so much waits for the reader that nothing should be added that can be left out. */
  readonly isFarBehind: boolean
  /** Sends how the call ended, then `end`. Nothing is sent afterwards. */
  finish(name: 'result' | 'error', data: unknown, id?: number): void
  /**
   * Sends why the reader is told no more, then `end`. Neither has a number: whoever comes back with the one of the last event goes on where
   * he was.
   */
  breakOff(data: unknown): void
  /** Ends the answer without an end of the events, so that the reader comes back. */
  close(): void
}

/** Begins to answer with events. `signal` is what stops the call. */
export function openEventStream(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): EventStream {
  const { world, shutdown } = request.server.lllm
  const { clock } = world
  const writer = openWriter(reply, { contentType: eventStreamMediaType, clock, signal })
  const ended = new AbortController()
  let lastId = 0

  // JSON has no line breaks outside of its strings, and none inside: it is one line of data.
  const bare = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
  const send: EventStream['send'] = (name, data, id = lastId + 1) => {
    lastId = id
    return writer.write(`id: ${lastId}\n${bare(name, data)}`)
  }
  const beat = async () => {
    // The first one may come earlier, so that readers who came together are not all written to at once.
    let waitMs = heartbeatMs * (1 - clock.random() / 2)
    for (;;) {
      await clock.sleep(waitMs, ended.signal)
      waitMs = heartbeatMs
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
    finish(name, data, id) {
      ended.abort()
      void send(name, data, id)
      void send('end', { end: true })
      writer.end(shutdown.begun)
    },
    breakOff(data) {
      ended.abort()
      void writer.write(bare('error', data) + bare('end', { end: true }))
      writer.end(shutdown.begun)
    },
    close() {
      ended.abort()
      writer.end(shutdown.begun)
    },
  }
}
