import type { FastifyReply } from 'fastify'
import type { Clock } from '../domain/clock.ts'
import { readerPatienceMs } from './open-answers.ts'

/** What may wait for the reader before things are left out. */
const backlogBytesMax = 262_144

/** Sends the body of a response piece by piece, no faster than it is read. */
export interface ResponseWriter {
  /** Whether everything that was written has been handed to the network. */
  readonly isDrained: boolean
  /** Whether so much waits for the reader that nothing should be added that can be left out. */
  readonly isFarBehind: boolean
  /**
   * Writes a piece. While the reader is behind by the socket's buffer (64 KiB), it returns a promise of room for the next
   * one. Whoever writes and waits for that is at most one piece ahead. The promise never rejects, and it is kept at the
   * latest when the reader goes away or the call is stopped. What is written after the end, or to nobody, is dropped.
   */
  write(text: string): void | Promise<void>
  /** Ends the response; the connection as well if `closing`. A reader who has not taken the rest {@link readerPatienceMs} later is disconnected. */
  end(closing: boolean): void
}

export interface WriterParts {
  readonly contentType: string
  readonly clock: Clock
  /** Stops the call. From then on nothing waits for the reader: what is left to write is the end. */
  readonly signal: AbortSignal
}

/**
 * Takes the response out of Fastify's hands and sends its head, with status 200 and the headers that the reply has.
 *
 * The socket's own buffer is the only queue: a second one would be memory without use.
 */
export function openWriter(reply: FastifyReply, { contentType, clock, signal }: WriterParts): ResponseWriter {
  const { raw } = reply
  let room: PromiseWithResolvers<void> | undefined
  const release = () => {
    room?.resolve()
    room = undefined
  }
  reply.hijack()
  raw.on('drain', release)
  raw.once('close', release)
  signal.addEventListener('abort', release, { once: true })
  // Neither caches nor proxies may hold back or change what comes piece by piece.
  reply.headers({
    'content-type': contentType,
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  for (const [header, value] of Object.entries(reply.getHeaders())) raw.setHeader(header, value ?? '')
  raw.flushHeaders()
  return {
    get isDrained() {
      return raw.writableLength === 0
    },
    get isFarBehind() {
      return raw.writableLength > backlogBytesMax
    },
    write(text) {
      if (raw.destroyed || raw.writableEnded || raw.write(text) || signal.aborted) return
      room ??= Promise.withResolvers<void>()
      return room.promise
    },
    end(closing) {
      const { socket } = raw
      signal.removeEventListener('abort', release)
      release()
      const closed = new AbortController()
      raw.once('close', () => closed.abort())
      if (raw.destroyed) return
      raw.end(() => {
        if (closing) socket?.destroySoon()
      })
      clock.sleep(readerPatienceMs, closed.signal).then(
        () => raw.destroy(),
        () => {},
      )
    },
  }
}
