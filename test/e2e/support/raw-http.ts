import { connect } from 'node:net'

/** A request as it goes over the wire. Nobody looks whether it is one. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** Whether there is less of it than it says. Then the client tells that nothing follows, which Node takes for its leaving. */
  readonly isCut: boolean
}

export interface RawAnswer {
  /** 0: the connection was closed without an answer. */
  readonly status: number
  /** By their names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** Sends a request over a connection of its own, and reads what comes back until the service closes that. */
export function sendRaw(url: string, { method, target, headers, body, isCut }: RawRequest): Promise<RawAnswer> {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const head = Buffer.from(`${[`${method} ${target} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`, 'latin1')
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const pieces: Buffer[] = []
  socket.on('data', (piece: Buffer) => pieces.push(piece))
  // A server that has refused a large body closes while that is still being sent.
  socket.on('error', () => {})
  socket.write(Buffer.concat([head, body]))
  if (isCut) socket.end()
  return new Promise((resolve) => socket.on('close', () => resolve(readAnswer(Buffer.concat(pieces)))))
}

function readAnswer(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const rest = bytes.subarray(end + 4)
  const isChunked = headers.get('transfer-encoding') === 'chunked'
  const length = Number(headers.get('content-length') ?? rest.length)
  const body = isChunked ? readChunks(rest) : rest.subarray(0, length)
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0), headers, body: body.toString() }
}

function readChunks(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (!(size > 0)) break
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return Buffer.concat(chunks)
}
