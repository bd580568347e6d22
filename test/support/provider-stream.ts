import type { ServerResponse } from 'node:http'
import type { ProviderRequest } from './provider-request.ts'
import type { ScriptedStream } from './provider-script.ts'
import { chatFrames, responsesFrames, type StreamFrames } from './provider-stream-wire.ts'
import type { WireAnswer } from './provider-wire.ts'

/** Is told of a stream as it goes. */
export interface StreamMeter {
  /** The head of the reply is sent. */
  begun(): void
  /** All text so far, for which the provider charges. */
  charge(text: string): void
  wrote(bytes: number): void
  /** One stream more, or one less, is held up by a client that does not read it. */
  heldUp(change: 1 | -1): void
}

/** A stream whose socket has taken nothing for so long is held up. */
const heldUpAfterMs = 150

/** Streams a reply until it ends, or until the client goes away. */
export async function sendStream(
  stream: ScriptedStream,
  wire: WireAnswer,
  request: ProviderRequest,
  outgoing: ServerResponse,
  meter: StreamMeter,
): Promise<void> {
  const closed = new Promise<void>((resolve) => outgoing.once('close', () => resolve()))
  const frames = framesOf(stream, wire, request)
  const write = async (frame: string) => {
    meter.wrote(Buffer.byteLength(frame))
    if (outgoing.write(frame)) return
    let isHeldUp = false
    const timer = setTimeout(() => {
      isHeldUp = true
      meter.heldUp(1)
    }, heldUpAfterMs)
    await Promise.race([new Promise((resolve) => outgoing.once('drain', resolve)), closed])
    clearTimeout(timer)
    if (isHeldUp) meter.heldUp(-1)
  }
  outgoing.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  outgoing.flushHeaders()
  meter.begun()
  meter.charge('')
  const hasText = stream.pieces.length > 0 || stream.ending !== 'stalled'
  for (const frame of hasText ? frames.opening : []) await write(frame)
  let text = ''
  const repeats = stream.ending === 'endless'
  do {
    for (const piece of stream.pieces) {
      if (typeof piece === 'string') await write(frames.piece(piece))
      else await Promise.race([piece.opened, closed])
      if (outgoing.destroyed) return
      // Adding up what never ends would take memory of our own.
      if (!repeats && typeof piece === 'string') text += piece
      meter.charge(text)
    }
  } while (repeats)
  await end(stream, frames, outgoing, write)
  await closed
}

function framesOf({ omits }: ScriptedStream, wire: WireAnswer, { path, body }: ProviderRequest): StreamFrames {
  if (path === '/v1/responses') return responsesFrames(wire, omits)
  const options = body['stream_options'] as { readonly include_usage?: boolean } | undefined
  return chatFrames(wire, options?.include_usage === true, omits)
}

async function end(
  { ending }: ScriptedStream,
  frames: StreamFrames,
  outgoing: ServerResponse,
  write: (frame: string) => Promise<void>,
): Promise<void> {
  if (ending === 'stalled') return
  if (ending === 'whole') for (const frame of frames.closing) await write(frame)
  if (ending === 'half-event') await write(frames.piece('never to be read').slice(0, -20))
  if (ending === 'garbage') await write('data: {"choices": [oops\n\n')
  if (ending === 'error-frame') await write(frames.error)
  if (ending !== 'cut') return void outgoing.end()
  // What was written before has to get out.
  await new Promise((resolve) => outgoing.write(': cut\n\n', resolve))
  outgoing.destroy(new Error('The script cuts the connection.'))
}
