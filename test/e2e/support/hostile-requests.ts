import fc from 'fast-check'
import { hostileBody, hostileText } from './hostile-bodies.ts'
import type { RawRequest } from './raw-http.ts'

/** What the fuzzer reads of an OpenAPI document. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
}

interface ApiOperation {
  readonly parameters?: readonly { readonly name?: string; readonly in?: string }[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: JsonObject; readonly examples?: JsonObject }>>
  }
}

type JsonObject = Readonly<Record<string, unknown>>
type Header = readonly [string, string]

const oddMethods = ['PUT', 'PATCH', 'TRACE', 'OPTIONS', 'HEAD', 'PROPFIND', 'QUERY', 'BREW', 'CONNECT', 'get', 'DELETE']

const pathPart = (ids: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...ids) },
    {
      weight: 4,
      arbitrary: fc.constantFrom('__proto__', 'constructor', 'null', '0', '-1', '.', '..', '*', '%', '%zz', '%00'),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '..%2f..%2fetc%2fpasswd',
        '%ff%fe',
        '%ed%a0%80',
        '%0d%0aset-cookie:a=b',
        '%252e',
        '%c0%af',
      ),
    },
    hostileText.map((text) => encodeURIComponent(text.toWellFormed()).slice(0, 2_000)),
  )

const queryValue = (ids: readonly string[]) =>
  fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1e9',
      'NaN',
      '%00',
      '%zz',
      '9'.repeat(400),
      'true',
      '2026-13-01',
      '2026-11-27T00:00:00Z',
    ),
    fc.constantFrom(...ids, 'WzEsMl0', 'bnVsbA', 'e30', 'eyJfX3Byb3RvX18iOnt9fQ'),
    fc.constant('x'.repeat(9_000)),
    hostileText.map((text) => encodeURIComponent(text.toWellFormed()).slice(0, 3_000)),
  )

const headerValue = fc.oneof(
  fc.constantFrom(
    '',
    '*/*',
    'application/json',
    'text/html;q=0.9, */*;q=0',
    'a'.repeat(5_000),
    '\xff\xfe',
    '"',
    '{}',
    '0',
    '-1',
  ),
  fc.constantFrom(
    'text/event-stream',
    'application/x-ndjson',
    'application/jsonl',
    'application/xml',
    ';;;,,,===',
    '../../etc',
  ),
  fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '?')),
)

const oddHeaderNames = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-type',
  'cookie',
  'expect',
  'host',
  'idempotency-key',
  'last-event-id',
  'origin',
  'range',
  'te',
  'traceparent',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-http-method-override',
  'x-request-id',
]

const oddHeader = fc.tuple(fc.constantFrom(...oddHeaderNames), headerValue)

/** Lengths that are not those of the body: the rest of it is then no request, or some of it never comes. */
const lengthError = fc.oneof(
  { weight: 30, arbitrary: fc.constant<number | string>(0) },
  fc.constantFrom<number | string>(1, -1, 1_000, '1e3', '0x10', '+5', ''),
)

/** Requests of the worst kind to the paths of a service, and to some that it does not have. `ids` are of things that are there. */
export function hostileRequest(document: ApiDocument, ids: readonly string[]): fc.Arbitrary<RawRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const known = fc.constantFrom(...operations).chain(({ path, method, operation }) => {
    const names = (operation.parameters ?? []).flatMap((parameter) =>
      parameter.in === 'query' ? [parameter.name ?? ''] : [],
    )
    return fc.record({
      method: fc.oneof({ weight: 9, arbitrary: fc.constant(method) }, fc.constantFrom(...oddMethods)),
      target: targetOf(path, names, ids),
      headers: fc.oneof(fc.constant<Header[]>([]), fc.array(oddHeader, { maxLength: 2 })),
      body: method === 'POST' ? hostileBody(operation.requestBody?.content ?? {}) : fc.constant(Buffer.alloc(0)),
      lengthError,
    })
  })
  const unknown = fc.record({
    method: fc.constantFrom('GET', 'POST', ...oddMethods),
    target: fc.array(pathPart(ids), { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    headers: fc.array(oddHeader, { maxLength: 4 }),
    body: hostileBody({}),
    lengthError,
  })
  return fc.oneof({ weight: 6, arbitrary: known }, unknown).map(({ lengthError: error, headers, body, ...rest }) => ({
    ...rest,
    headers: completeHeaders(headers, body.length, error),
    body,
    isCut: Number(error) > 0 || headers.some(([name]) => name === 'transfer-encoding'),
  }))
}

function targetOf(path: string, names: readonly string[], ids: readonly string[]): fc.Arbitrary<string> {
  const parts = fc.tuple(...path.split('/').map((part) => (part.startsWith('{') ? pathPart(ids) : fc.constant(part))))
  const name = fc.constantFrom('tag.a', 'tag.', '__proto__', 'nope', 'limit', ...names)
  const query = fc.oneof(fc.constant([]), fc.array(fc.tuple(name, queryValue(ids)), { maxLength: 3 }))
  return fc.tuple(parts, query).map(([segments, pairs]) => {
    const text = pairs.map(([key, value]) => `${key}=${value}`).join('&')
    return text === '' ? segments.join('/') : `${segments.join('/')}?${text}`
  })
}

/** What a request needs, unless it has it already in a way of its own: then it may have it twice. */
function completeHeaders(given: readonly Header[], length: number, error: number | string): readonly Header[] {
  const shown = typeof error === 'number' ? String(Math.max(0, length + error)) : error
  const hasType = given.some(([name]) => name === 'content-type')
  return [
    ['host', 'localhost'],
    ['connection', 'close'],
    ...(length === 0 && error === 0 ? [] : ([['content-length', shown]] as const)),
    ...(hasType || length === 0 ? [] : ([['content-type', 'application/json']] as const)),
    ...given,
  ]
}
