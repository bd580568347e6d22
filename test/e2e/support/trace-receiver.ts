import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

type Told = Readonly<Record<string, unknown>>

export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Undefined: the first of its trace. */
  readonly parentSpanId: string | undefined
  /** What W3C calls `tracestate`. */
  readonly traceState: string | undefined
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  readonly isError: boolean
  readonly attributes: Told
  readonly events: readonly { readonly name: string; readonly attributes: Told }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  /** What the process says of itself. */
  readonly resource: Told
}

/** A span with those below it, in the order in which they began. */
export interface SpanTree {
  readonly span: ReceivedSpan
  readonly below: readonly SpanTree[]
}

/** A receiver of OTLP over HTTP, on a real socket. It takes all that comes, unless a test says otherwise. */
export async function openTraceReceiver(
  answer: (response: ServerResponse, index: number) => void = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  },
) {
  const spans: ReceivedSpan[] = []
  const requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly text: string }[] = []
  const arrived: (() => void)[] = []
  const server = createServer(async (request, response) => {
    const body = (await readJson(request)) as Export
    requests.push({ path: request.url ?? '', headers: request.headers, text: JSON.stringify(body) })
    spans.push(...readExport(body))
    for (const tell of arrived.splice(0)) tell()
    answer(response, requests.length - 1)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  async function close() {
    server.closeAllConnections()
    server.close()
    if (server.listening) await once(server, 'close')
  }
  onTestFinished(close)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    /** The environment of a service that sends its traces here. */
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: url },
    spans,
    requests,
    /** Resolves when the next request has come in. */
    next: () => new Promise<void>((resolve) => arrived.push(resolve)),
    trees: () => toTrees(spans),
    /** Those of one name, each before those below it. */
    named: (name: string) =>
      toTrees(spans)
        .flatMap(flatten)
        .filter((span) => span.name === name),
    close,
  }
}

function toTrees(spans: readonly ReceivedSpan[]): readonly SpanTree[] {
  const isHere = (id: string | undefined) => spans.some(({ spanId }) => spanId === id)
  const treeOf = (span: ReceivedSpan): SpanTree => ({
    span,
    below: spans.filter(({ parentSpanId }) => parentSpanId === span.spanId).map(treeOf),
  })
  return spans.filter(({ parentSpanId }) => !isHere(parentSpanId)).map(treeOf)
}

/** The spans of a tree, each before those below it. */
export function flatten({ span, below }: SpanTree): readonly ReceivedSpan[] {
  return [span, ...below.flatMap(flatten)]
}

/** The names of a tree alone, each indented by its depth. */
export function outline({ span, below }: SpanTree, depth = 0): readonly string[] {
  return [`${'  '.repeat(depth)}${span.kind} ${span.name}`, ...below.flatMap((tree) => outline(tree, depth + 1))]
}

// What OTLP's JSON looks like, as far as it is read here.
interface Value {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
  readonly boolValue?: boolean
  readonly arrayValue?: { readonly values: readonly Value[] }
}
type KeyValues = readonly { readonly key: string; readonly value: Value }[]
interface WireSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly attributes: KeyValues
  readonly events: readonly { readonly name: string; readonly attributes: KeyValues }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code: number }
}
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues }
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[]
  }[]
}

function readExport({ resourceSpans }: Export): readonly ReceivedSpan[] {
  const read = resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ span, resource: toPlain(resource.attributes) }))),
  )
  const started = ({ span }: { readonly span: WireSpan }) => BigInt(span.startTimeUnixNano)
  return read
    .sort((left, right) => Number(started(left) - started(right)))
    .map(({ span, resource }) => ({
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId || undefined,
      traceState: span.traceState || undefined,
      name: span.name,
      kind: (['internal', 'internal', 'server', 'client'] as const)[span.kind] ?? 'internal',
      isError: span.status.code === 2,
      attributes: toPlain(span.attributes),
      events: span.events.map(({ name, attributes }) => ({ name, attributes: toPlain(attributes) })),
      links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
      resource,
    }))
}

function toPlain(pairs: KeyValues): Told {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, toValue(value)]))
}

function toValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: Value): unknown {
  if (arrayValue !== undefined) return arrayValue.values.map(toValue)
  if (intValue !== undefined) return Number(intValue)
  return stringValue ?? doubleValue ?? boolValue
}
