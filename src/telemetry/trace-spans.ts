import {
  type Attributes,
  type Context,
  context,
  createTraceState,
  isSpanContextValid,
  type Link,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Span, SpanAttributes, SpanOrigin, SpanStart, TraceHeaders, Tracing } from '../domain/tracing.ts'

export interface TraceParts {
  readonly tracer: Tracer
  /** Whether the texts of prompts, replies and tools are told. */
  readonly takesContent: boolean
  /** Sends what is left. Left out: that is up to whoever made the tracer. */
  readonly close?: () => Promise<void>
}

/** Tells what happens to a tracer of OpenTelemetry. */
export function traceWith({ tracer, takesContent, close = async () => {} }: TraceParts): Tracing {
  return {
    startSpan(describe, origin) {
      const { place, isBelowActive, links } = placeOf(origin)
      const start = describe()
      // What serves the request is the span of the program that we live in; ours is what it does for that.
      const described = isBelowActive && start.kind === 'server' ? { ...start, kind: 'internal' as const } : start
      return startSpan(tracer, takesContent, described, place, links)
    },
    close,
  }
}

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT } as const

function placeOf({ parent, link, detached }: SpanOrigin) {
  const links = link === undefined ? [] : [{ context: readHeaders(link) }]
  const active = context.active()
  if (detached !== true && trace.getSpan(active) !== undefined) return { place: active, isBelowActive: true, links }
  const place = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, readHeaders(parent))
  return { place, isBelowActive: false, links }
}

function startSpan(
  tracer: Tracer,
  takesContent: boolean,
  { name, kind = 'internal', attributes }: SpanStart,
  place: Context,
  links: readonly Link[] = [],
): Span {
  const options = { kind: kinds[kind], attributes: toAttributes(attributes), links: [...links] }
  const span = tracer.startSpan(name, options, place)
  const within = trace.setSpan(place, span)
  return {
    headers: toHeaders(span.spanContext()),
    takesContent: takesContent && span.isRecording(),
    startChild: (describe) => startSpan(tracer, takesContent, describe(), within),
    set: (describe) => {
      if (span.isRecording()) span.setAttributes(toAttributes(describe()))
    },
    event: (event, describe) => {
      if (span.isRecording()) span.addEvent(event, toAttributes(describe()))
    },
    within: (work) => context.with(within, work),
    end: (error) => end(span, error),
  }
}

function end(span: OtelSpan, error: string | undefined) {
  if (error !== undefined) {
    span.setAttribute('error.type', error)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

function toAttributes(attributes: SpanAttributes): Attributes {
  const told: Attributes = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) told[name] = typeof value === 'object' ? [...value] : value
  }
  return told
}

/** The headers have been judged by whoever received them. */
function readHeaders({ traceparent, tracestate }: TraceHeaders): SpanContext {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-')
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  }
}

function toHeaders(spanContext: SpanContext): TraceHeaders | undefined {
  if (!isSpanContextValid(spanContext)) return undefined
  const { traceId, spanId, traceFlags, traceState } = spanContext
  const tracestate = traceState?.serialize() ?? ''
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    ...(tracestate === '' ? {} : { tracestate }),
  }
}
