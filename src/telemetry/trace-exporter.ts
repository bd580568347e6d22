import type { Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

/** Spans that wait to be sent. Where a receiver is dead or slow, those beyond are dropped. */
const queuedSpansMax = 2_048
/** Spans that are sent at once. */
const batchSpansMax = 512
const limitsDefault = {
  /** How long a receiver is given to take what is sent, further tries included. */
  sendMaxMs: 10_000,
  /** The longest that a span waits for others to be sent with. */
  sendEveryMs: 1_000,
  /** How long what is left is waited for at the end. */
  closeMaxMs: 2_000,
}
/** Characters of one text, such as the messages of a long dialog. What is longer is cut off. */
const textLengthMax = 32_768

export interface TraceExporterSettings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly serviceName: string
  readonly serviceVersion: string
  readonly resourceAttributes: Readonly<Record<string, string>>
  readonly sampler: `${'' | 'parentbased_'}${'always_on' | 'always_off' | 'traceidratio'}`
  /** The share of traces that `traceidratio` tells: 0 to 1. */
  readonly ratio: number
}

/** Told once when a receiver begins to fail, and once when it has taken spans again. */
export type TraceEvent =
  | { readonly type: 'traces.failed'; readonly reason: string }
  | { readonly type: 'traces.recovered'; readonly lostSpans: number }

/**
 * Makes a tracer whose spans are sent to a receiver, by OTLP over HTTP as JSON. Whatever the receiver does, nobody waits for it: what
 * it does not take is dropped.
 */
export function openTraceExporter(
  settings: TraceExporterSettings,
  onEvent: (event: TraceEvent) => void,
  limits: typeof limitsDefault = limitsDefault,
) {
  const { url, headers, serviceName, serviceVersion, resourceAttributes } = settings
  const { sendMaxMs, sendEveryMs, closeMaxMs } = limits
  const exporter = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: sendMaxMs })
  const processor = new BatchSpanProcessor({
    exporter: watch(exporter, onEvent),
    maxQueueSize: queuedSpansMax,
    maxExportBatchSize: batchSpansMax,
    scheduledDelayMillis: sendEveryMs,
    exportTimeoutMillis: sendMaxMs,
  })
  const about = { 'service.name': serviceName, 'service.version': serviceVersion }
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ ...resourceAttributes, ...about })),
    sampler: samplerOf(settings),
    spanLimits: { attributeValueLengthLimit: textLengthMax },
    spanProcessors: [processor],
  })
  const tracer: Tracer = provider.getTracer('lllm', serviceVersion)
  return { tracer, close: () => closeWithin(provider, closeMaxMs) }
}

async function closeWithin(provider: TracerProvider, closeMaxMs: number): Promise<void> {
  const { promise: tooLate, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, closeMaxMs)
  await Promise.race([provider.shutdown().catch(() => undefined), tooLate])
  clearTimeout(timer)
}

/** A receiver that is dead for days is told of once. */
function watch(exporter: SpanExporter, onEvent: (event: TraceEvent) => void): SpanExporter {
  let lostSpans = 0
  const judge = (spans: readonly ReadableSpan[], error: Error | undefined) => {
    if (error !== undefined) {
      if (lostSpans === 0) onEvent({ type: 'traces.failed', reason: reasonOf(error) })
      lostSpans += spans.length
    } else if (lostSpans > 0) {
      onEvent({ type: 'traces.recovered', lostSpans })
      lostSpans = 0
    }
  }
  return {
    export: (spans, onResult) =>
      exporter.export(spans, (result) => {
        judge(spans, result.code === 0 ? undefined : (result.error ?? new Error('failed')))
        onResult(result)
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}

/** The status or the code alone: a message can hold the URL, and what the receiver wrote. */
function reasonOf(error: Error): string {
  return 'code' in error && error.code !== undefined ? String(error.code) : error.name
}

function samplerOf({ sampler, ratio }: TraceExporterSettings): Sampler {
  const [kind, isParentBased] = sampler.startsWith('parentbased_')
    ? [sampler.slice('parentbased_'.length), true]
    : [sampler, false]
  const root = rootSampler(kind, ratio)
  return isParentBased ? new ParentBasedSampler({ root }) : root
}

function rootSampler(kind: string, ratio: number): Sampler {
  if (kind === 'always_off') return new AlwaysOffSampler()
  return kind === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler()
}
