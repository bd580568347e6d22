import { noTracing, type Tracing } from './domain/tracing.ts'
import type { Settings } from './settings.ts'
import type { TraceEvent } from './telemetry/trace-exporter.ts'
import { version } from './version.ts'

/** What the API of OpenTelemetry keeps its global parts under, for all copies of it in a process. */
const otelGlobal = Symbol.for('opentelemetry.js.api.1')

type TraceSettings = Pick<
  Settings,
  | 'otelDisabled'
  | 'tracesExporter'
  | 'otlpEndpoint'
  | 'otlpTracesEndpoint'
  | 'otlpHeaders'
  | 'serviceName'
  | 'resourceAttributes'
  | 'traceSampler'
  | 'traceSamplerArg'
  | 'traceContent'
>

/**
 * Opens what traces are told to: the SDK that the program around us has registered, or else the receiver of the settings. With
 * neither, nothing of OpenTelemetry is loaded.
 */
export async function openTracing(settings: TraceSettings, onEvent: (event: TraceEvent) => void): Promise<Tracing> {
  const { otelDisabled, traceContent: takesContent } = settings
  if (otelDisabled) return noTracing
  if (hasRegisteredSdk()) {
    const [{ trace }, { traceWith }] = await Promise.all([
      import('@opentelemetry/api'),
      import('./telemetry/trace-spans.ts'),
    ])
    return traceWith({ tracer: trace.getTracer('lllm', version), takesContent })
  }
  const url = receiverOf(settings)
  if (url === undefined) return noTracing
  const [{ openTraceExporter }, { traceWith }] = await Promise.all([
    import('./telemetry/trace-exporter.ts'),
    import('./telemetry/trace-spans.ts'),
  ])
  const { otlpHeaders: headers = {}, serviceName, resourceAttributes = {}, traceSampler: sampler } = settings
  const about = { serviceName, serviceVersion: version, resourceAttributes }
  const exporter = openTraceExporter({ url, headers, ...about, sampler, ratio: settings.traceSamplerArg }, onEvent)
  return traceWith({ ...exporter, takesContent })
}

function hasRegisteredSdk(): boolean {
  const registered = (globalThis as { readonly [otelGlobal]?: { readonly trace?: unknown } })[otelGlobal]
  return registered?.trace !== undefined
}

function receiverOf({ tracesExporter, otlpTracesEndpoint, otlpEndpoint }: TraceSettings): string | undefined {
  if (tracesExporter === 'none') return undefined
  if (otlpTracesEndpoint !== undefined || otlpEndpoint === undefined) return otlpTracesEndpoint
  const url = new URL(otlpEndpoint)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`
  return url.href
}
