import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Issue, LllmError } from '../domain/errors.ts'
import { isDeeperThan } from '../domain/json.ts'

/** Deeper than this nobody writes by hand, and code that walks a value by recursion is safe. */
export const bodyDepthMax = 100

type BodyDone = (error: Error | null, value?: unknown) => void
/** Reads a JSON text. The place is what a fault says of it: `The body`, `Line 7`. Throws an LllmError `malformed-json` or `invalid-request`. */
export type ReadJson = (text: string, place: string, pointer: string) => unknown

/** Makes JSON the only content type that is read. Bodies with a `__proto__` key are refused, not cleaned. */
export function readJsonBodies(server: FastifyInstance, bodyLimitBytes: number): void {
  server.removeAllContentTypeParsers()
  addBodyReader(server, ['application/json'], bodyLimitBytes, (readJson, text) => readJson(text, 'The body', ''))
}

/** Reads further content types as text, in this instance and those below it. */
export function addBodyReader(
  server: FastifyInstance,
  contentTypes: string[],
  bodyLimitBytes: number,
  read: (readJson: ReadJson, text: string) => unknown,
): void {
  const parseText = server.getDefaultJsonParser('error', 'error')
  const parseBody = (request: FastifyRequest, body: Buffer, done: BodyDone) => {
    const readJson: ReadJson = (text, place, pointer) => {
      let isJson = false
      let value: unknown
      // The parser calls back before it returns.
      void parseText(request, text, (error, parsed) => {
        isJson = error === null
        value = parsed
      })
      if (!isJson) throw new LllmError('malformed-json', explainFault(text, place))
      if (isDeeperThan(value, bodyDepthMax)) throw tooDeep(place, pointer)
      return value
    }
    let value: unknown
    try {
      value = isLeftOut(request, body) ? undefined : read(readJson, textOf(request, body))
    } catch (error) {
      done(error as Error)
      return
    }
    done(null, value)
  }
  server.addContentTypeParser(contentTypes, { parseAs: 'buffer', bodyLimit: bodyLimitBytes }, parseBody)
}

/** Many clients say what their bodies are also where they send none. */
function isLeftOut(request: FastifyRequest, body: Buffer): boolean {
  if (body.length > 0) return false
  const { operation } = request.routeOptions.config
  const needsNone = operation !== undefined && operation.requestBody?.required !== true
  return request.method === 'DELETE' || needsNone
}

function textOf({ headers }: FastifyRequest, body: Buffer): string {
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new LllmError('unsupported-media-type', 'Send the body without a Content-Encoding.')
  }
  if (body.length === 0) throw new LllmError('malformed-json', 'The body is empty: send a JSON object.')
  if (!isUtf8(body)) throw new LllmError('malformed-json', 'The body is not UTF-8.')
  return body.toString()
}

function tooDeep(place: string, pointer: string): LllmError {
  const issue: Issue = { pointer, message: `${place} nests deeper than ${bodyDepthMax} levels.` }
  return new LllmError('invalid-request', issue.message, { issues: [issue] })
}

/** What is wrong with a text that was refused. Fastify's parser keeps that to itself. */
function explainFault(text: string, place: string): string {
  try {
    JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    return `${place} is not JSON${placeOf(error as SyntaxError)}.`
  }
  return `${place} has a key that it must not have: "__proto__", or "prototype" in a "constructor".`
}

/** The parser quotes the body in its message; only the position is passed on. */
function placeOf(error: Error): string {
  const place = /at position \d{1,9}(?: \(line \d{1,9} column \d{1,9}\))?/.exec(error.message)
  return place === null ? '' : ` (${place[0].replace(/[()]/g, '')})`
}
