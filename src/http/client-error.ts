import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { NewId } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { problemMediaType, toProblem } from './problem.ts'

/** For how long a client may go on reading, and sending, after it was refused on the bare socket. */
const lingerMs = 500

/** Answers, on the bare socket, what never became a request because it was no HTTP, too large or too slow. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket, newId: NewId): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  answerOnSocket(nameFault(error.code), socket, newId)
}

/** Answers, on the bare socket, somebody who takes the service for a proxy. */
export function refuseTunnel(socket: Duplex, newId: NewId): void {
  // Whoever asks for a tunnel may well be gone before the answer.
  socket.on('error', () => socket.destroy())
  answerOnSocket(new LllmError('method-not-allowed', 'This is no proxy: it has no CONNECT.'), socket, newId)
}

function answerOnSocket(error: LllmError, socket: Duplex, newId: NewId) {
  const requestId = newId()
  const problem = toProblem(error, { requestId })
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  // Nobody counts this connection any more: a client that does not close its side would hold it for ever. Until then what it still sends
  // is read, because an answer can get lost when a connection is closed over unread data.
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
  socket.once('close', () => clearTimeout(timer))
}

function nameFault(code: string | undefined): LllmError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new LllmError('headers-too-large', 'The headers and the path have more than 16 KiB together.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new LllmError('request-timeout', 'The request did not arrive in time.')
    default:
      return new LllmError('malformed-request', 'The request is not sound HTTP/1.1.')
  }
}
