import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { traceWith } from '../../src/telemetry/trace-spans.ts'

/** Traces that are kept where a test can look at them. */
export function recordTraces() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return {
    tracing: traceWith({ tracer: provider.getTracer('test'), takesContent: false }),
    /** The ended spans, in the order of their ends: their names, and those of their events. */
    ended: () => exporter.getFinishedSpans().map(({ name, events }) => [name, events.map((event) => event.name)]),
    forget: () => exporter.reset(),
  }
}
