import type { Redactor } from './redact.ts'
import { noTracing, type Span, type SpanAttributes, type SpanStart, type Tracing } from './tracing.ts'

/**
 * Tells traces without secrets; and no texts of prompts, replies and tools below a span that is told without them.
 *
 * @param takesContent Whether any texts are told at all.
 */
export function redactedTracing(tracing: Tracing, redactor: Redactor, takesContent: boolean): Tracing {
  if (tracing === noTracing) return tracing

  const redacted = (describe: () => SpanAttributes) => () => redactor.allIn(describe())

  function start(begin: (describe: () => SpanStart) => Span, describe: () => SpanStart, takesAbove: boolean): Span {
    let takes = takesAbove
    const span = begin(() => {
      const { withoutContent = false, ...told } = describe()
      takes &&= !withoutContent
      return { ...told, attributes: redactor.allIn(told.attributes) }
    })
    return {
      headers: span.headers,
      takesContent: span.takesContent && takes,
      startChild: (child) => start((given) => span.startChild(given), child, takes),
      set: (attributes) => span.set(redacted(attributes)),
      event: (name, attributes) => span.event(name, redacted(attributes)),
      within: (work) => span.within(work),
      end: (error) => span.end(error),
    }
  }

  return {
    startSpan: (describe, origin) => start((given) => tracing.startSpan(given, origin), describe, takesContent),
    close: () => tracing.close(),
  }
}
