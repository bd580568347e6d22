import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LllmError } from '../domain/errors.ts'
import { isDeeperThan } from '../domain/json.ts'

/** Deeper than this nobody writes by hand, and code that walks a value by recursion is safe. */
export const bodyDepthMax = 100

/** Makes JSON the only content type that is read. Bodies with a `__proto__` key are refused, not cleaned. */
export function readJsonBodies(server: FastifyInstance, bodyLimitBytes: number): void {
  const parseText = server.getDefaultJsonParser('error', 'error')
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: bodyLimitBytes },
    (request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void) => {
      const encoding = request.headers['content-encoding']
      if (encoding !== undefined && encoding !== 'identity') {
        done(new LllmError('unsupported-media-type', 'Send the body without a Content-Encoding.'))
      } else if (body.length === 0 && request.method === 'DELETE') {
        // Many clients say what their bodies are also where they send none.
        done(null)
      } else if (body.length === 0) {
        done(new LllmError('malformed-json', 'The body is empty: send a JSON object.'))
      } else if (!isUtf8(body)) {
        done(new LllmError('malformed-json', 'The body is not UTF-8.'))
      } else {
        const text = body.toString()
        void parseText(request, text, (error, value) => {
          if (error === null) done(depthFault(value), value)
          else done(new LllmError('malformed-json', explainFault(text)))
        })
      }
    },
  )
}

function depthFault(value: unknown): LllmError | null {
  if (!isDeeperThan(value, bodyDepthMax)) return null
  const message = `The body nests deeper than ${bodyDepthMax} levels.`
  return new LllmError('invalid-request', message, { issues: [{ pointer: '', message }] })
}

/** What is wrong with a text that was refused. Fastify's parser keeps that to itself. */
function explainFault(text: string): string {
  try {
    JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    return `The body is not JSON${placeOf(error as SyntaxError)}.`
  }
  return 'The body has a key that it must not have: "__proto__", or "prototype" in a "constructor".'
}

/** The parser quotes the body in its message; only the position is passed on. */
function placeOf(error: Error): string {
  const place = /at position \d{1,9}(?: \(line \d{1,9} column \d{1,9}\))?/.exec(error.message)
  return place === null ? '' : ` (${place[0].replace(/[()]/g, '')})`
}
