import { expect, test } from 'vitest'
import { createRedactor } from '../../src/domain/redact.ts'
import { redactedTracing } from '../../src/domain/redacted-tracing.ts'
import { noTracing } from '../../src/domain/tracing.ts'
import { recordTraces } from '../support/recorded-traces.ts'

const key = 'sk-canary-0123456789abcdef'
const redactor = createRedactor(['canary-known'])

test('what is said of spans and their events is without secrets', () => {
  const { tracing, attributesOf } = recordTraces()
  const span = redactedTracing(tracing, redactor, true).startSpan(
    () => ({ name: 'above', attributes: { path: `/tactics/${key}`, count: 3, left: undefined } }),
    {},
  )
  const child = span.startChild(() => ({ name: 'below', attributes: { list: ['canary-known', 'fine'] } }))
  child.set(() => ({ password: 'anything' }))
  child.end()
  span.end()
  expect(attributesOf('above')).toEqual([{ path: '/tactics/[redacted]', count: 3 }])
  expect(attributesOf('below')).toEqual([{ list: ['[redacted]', 'fine'], password: '[redacted]' }])
})

test('no texts are told below a span that is told without them', () => {
  const { tracing } = recordTraces({ takesContent: true })
  const start = (takesContent: boolean) =>
    redactedTracing(tracing, redactor, takesContent).startSpan(() => ({ name: 'above', attributes: {} }), {})
  const above = start(true)
  const hidden = above.startChild(() => ({ name: 'private', withoutContent: true, attributes: {} }))
  const below = hidden.startChild(() => ({ name: 'below', attributes: {} }))
  expect([above, hidden, below].map((span) => span.takesContent)).toEqual([true, false, false])
  expect(start(false).takesContent).toBe(false)
})

test('where nobody collects traces, nothing is done for it', () => {
  expect(redactedTracing(noTracing, redactor, true)).toBe(noTracing)
})
