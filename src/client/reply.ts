import { LllmFault, networkFault } from './fault.ts'

/** How the body of an answer is read: once, in one of the ways. */
export interface Reply {
  readonly status: number
  readonly headers: Pick<Headers, 'get'>
  /** The pieces of the body as they come. Whoever leaves early closes the reply as well. Rejects as `text`. */
  pieces(): AsyncGenerator<Uint8Array, void, undefined>
  /** The whole body. Rejects with an LllmFault, or with the reason of the signal. */
  text(): Promise<string>
  /** Lets go of the socket, whose end is not waited for. Closing it twice is fine. */
  close(): void
}

export interface ReplyParts {
  readonly response: Response
  /** Aborts with the request. */
  readonly signal: AbortSignal
  readonly bytesMax: number
  /** Is called once: when the body has ended or is of no further use. */
  readonly onClose: () => void
}

export function openReply({ response, signal, bytesMax, onClose }: ReplyParts): Reply {
  const { status, headers } = response
  const reader = response.body?.getReader()
  let isClosed = false

  function close() {
    if (isClosed) return
    isClosed = true
    // Also of a body that has ended or broke off, where it does nothing.
    reader?.cancel().catch(() => undefined)
    onClose()
  }

  async function read() {
    try {
      return await reader?.read()
    } catch (error) {
      throw signal.aborted ? signal.reason : networkFault(error, status)
    }
  }

  async function* pieces() {
    let bytes = 0
    try {
      for (let next = await read(); next?.done === false; next = await read()) {
        bytes += next.value.byteLength
        if (bytes > bytesMax) {
          throw new LllmFault('protocol', `The answer has more than ${bytesMax} bytes.`, { status })
        }
        yield next.value
      }
    } finally {
      close()
    }
  }

  async function text() {
    const decoder = new TextDecoder()
    const texts: string[] = []
    for await (const piece of pieces()) texts.push(decoder.decode(piece, { stream: true }))
    return texts.join('') + decoder.decode()
  }

  return { status, headers, pieces, text, close }
}
