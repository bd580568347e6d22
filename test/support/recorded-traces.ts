import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { traceWith } from '../../src/telemetry/trace-spans.ts'

/** Traces that are kept where a test can look at them. */
export function recordTraces({ takesContent = false } = {}) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const spans = () => exporter.getFinishedSpans()
  return {
    tracing: traceWith({ tracer: provider.getTracer('test'), takesContent }),
    /** The ended spans, in the order of their ends: their names, and those of their events. */
    ended: () => spans().map(({ name, events }) => [name, events.map((event) => event.name)]),
    /** What is said of the ended spans of a name. */
    attributesOf: (name: string) => spans().flatMap((span) => (span.name === name ? [span.attributes] : [])),
    forget: () => exporter.reset(),
  }
}
