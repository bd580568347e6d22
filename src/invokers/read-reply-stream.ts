import { type ModelReply, type OnDelta, ProviderError } from '../domain/invoker.ts'
import { EventDecoder } from '../domain/server-sent-events.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import type { HttpReply } from './http-reply.ts'
import { garbled } from './openai-wire.ts'
import type { ReplyStream } from './reply-stream.ts'

/** Bytes of a stream. One token takes some 300 of them, so that the longest replies of today are half as large. */
export const streamBytesMax = 96 * 1024 * 1024

/**
 * Reads a streamed reply and passes its text on, piece by piece; the next piece waits until `onDelta` has taken this one.
 * Once the provider has said that the reply is complete, what goes wrong after that costs no more than its usage.
 *
 * Rejects with a ProviderError that holds what had come, with what `onDelta` rejects with, or with the reason of `signal`.
 */
export async function readReplyStream(
  body: HttpReply,
  stream: ReplyStream,
  signal: AbortSignal,
  onDelta: OnDelta,
): Promise<ModelReply> {
  try {
    await untilAborted(() => takeAll(body, stream, signal, onDelta), signal).catch((error: unknown) => {
      if (!(error instanceof ProviderError && stream.isComplete)) throw error
    })
    return stream.reply()
  } catch (error) {
    throw error instanceof ProviderError ? withWhatCame(error, stream) : error
  } finally {
    body.cancel()
  }
}

async function takeAll(body: HttpReply, stream: ReplyStream, signal: AbortSignal, onDelta: OnDelta): Promise<void> {
  const decoder = new EventDecoder()
  let bytes = 0
  for (let piece = await body.read(); ; piece = await body.read()) {
    bytes += piece?.length ?? 0
    if (bytes > streamBytesMax) throw garbled('a stream that does not end', null)
    const events = readable(() => (piece === null ? decoder.end() : decoder.decode(piece)))
    for (const { name, data } of events) {
      if (data === '[DONE]') return body.drain()
      const text = readable(() => stream.take(name, JSON.parse(data)))
      if (text !== '') {
        signal.throwIfAborted()
        // Only what has to be waited for is: most pieces are taken at once.
        const taken = onDelta(text)
        if (taken !== undefined) await taken
      }
      if (stream.isOver) return body.drain()
    }
    if (piece === null) return
  }
}

/** Besides text that is not JSON, this catches nesting that is too deep to be read, and events that are too long. */
function readable<Value>(read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw error instanceof ProviderError ? error : garbled('a stream that cannot be read', null)
  }
}

function withWhatCame(error: ProviderError, { usage, partial }: ReplyStream): ProviderError {
  return new ProviderError(error.kind, error.message, {
    status: error.status,
    retryAfterMs: error.retryAfterMs,
    usage: error.usage ?? usage,
    partial,
    mayBeBilled: true,
    cause: error.cause,
  })
}
