import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { NewId } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { problemMediaType, toProblem } from './problem.ts'

/** Answers, on the bare socket, what never became a request because it was no HTTP, too large or too slow. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket, newId: NewId): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const requestId = newId()
  const problem = toProblem(nameFault(error.code), { requestId })
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
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
