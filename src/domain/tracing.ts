/** A place in a trace, as W3C Trace Context writes it: the headers of a request. */
export interface TraceHeaders {
  readonly traceparent: string
  readonly tracestate?: string
}

/** What is said of a span. What is undefined is left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface SpanStart {
  readonly name: string
  /** `server`: it answers a request. `client`: it waits for somebody else. Default `internal`. */
  readonly kind?: 'internal' | 'server' | 'client'
  readonly attributes: SpanAttributes
  /** Neither it nor what is below it may hold texts of prompts, replies and tools. */
  readonly withoutContent?: boolean
}

/** Where the first span of this process stands in a trace. */
export interface SpanOrigin {
  /** The span that it is below, of another process. */
  readonly parent?: TraceHeaders
  /** A span that it comes from without being a part of it. */
  readonly link?: TraceHeaders
  /** It has nothing to do with what is under way where it is started. Left out: it is below the active span of the program, if there is one. */
  readonly detached?: true
}

/**
 * Something that takes its time, as whoever collects traces is told of it. Telling never fails and is never waited for. What is to
 * be told is given as functions, which are not called where nobody is told.
 */
export interface Span {
  /** What requests to others are sent with, so that what they do is told below this span. Undefined: there is no trace. */
  readonly headers: TraceHeaders | undefined
  /** Whether the texts of prompts, replies and tools may be told. */
  readonly takesContent: boolean
  startChild(describe: () => SpanStart): Span
  set(describe: () => SpanAttributes): void
  /** Tells what happens at this moment. */
  event(name: string, describe: () => SpanAttributes): void
  /** Does work of authors: the spans that they start in it by themselves are below this one. */
  within<Result>(work: () => Result): Result
  /** `error` is the kind of the failure, one of few, such as `provider-failed`. Left out: there was none. */
  end(error?: string): void
}

/** Tells what happens as traces. */
export interface Tracing {
  startSpan(describe: () => SpanStart, origin: SpanOrigin): Span
  /** Sends what is left, for as long as that takes a few seconds at the most. Never rejects. */
  close(): Promise<void>
}

/** Where nobody collects traces. The place that a caller has in his own is handed on to others as it came. */
export const noTracing: Tracing = {
  startSpan(_describe, { parent, link }) {
    const headers = parent ?? link
    return headers === undefined ? noSpan : makeUntold(headers)
  },
  close: async () => {},
}

function makeUntold(headers: TraceHeaders | undefined): Span {
  const span: Span = {
    headers,
    takesContent: false,
    startChild: () => span,
    set: () => {},
    event: () => {},
    within: (work) => work(),
    end: () => {},
  }
  return span
}

/** A span of no trace. */
export const noSpan: Span = makeUntold(undefined)
