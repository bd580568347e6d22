import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { openTraceExporter, type TraceEvent, type TraceExporterSettings } from '../../src/telemetry/trace-exporter.ts'
import { openTraceReceiver } from '../e2e/support/trace-receiver.ts'

/** As long as anybody could want, so that nothing is given up on a machine that is busy; and nobody waits to send. */
const patient = { sendMaxMs: 10_000, sendEveryMs: 1, closeMaxMs: 10_000 }
/** For a receiver that takes nothing anyway. */
const hasty = { sendMaxMs: 100, sendEveryMs: 1, closeMaxMs: 50 }

function open(url: string, more: Partial<TraceExporterSettings> = {}, limits = patient) {
  const events: TraceEvent[] = []
  const told = Promise.withResolvers<void>()
  const about = { serviceName: 'test', serviceVersion: '1.0.0', resourceAttributes: {} }
  const settings = { url, headers: {}, ...about, sampler: 'parentbased_always_on' as const, ratio: 1, ...more }
  const exporter = openTraceExporter(
    settings,
    (event) => {
      events.push(event)
      told.resolve()
    },
    limits,
  )
  const tell = (count: number) => {
    for (let index = 0; index < count; index++) exporter.tracer.startSpan(`span ${index}`).end()
  }
  return { ...exporter, tell, events, firstEvent: told.promise }
}

const takes = (response: ServerResponse) => void response.writeHead(200).end('{}')

describe('a receiver that', () => {
  test('is not there is told of once, by the code of the failure alone', async () => {
    const receiver = await openTraceReceiver()
    await receiver.close()
    const { tell, events, firstEvent, close } = open(`${receiver.url}/v1/traces?key=sesame`, {}, hasty)
    tell(1)
    await firstEvent
    tell(1_000)
    await close()
    expect(events).toEqual([{ type: 'traces.failed', reason: 'ECONNREFUSED' }])
  })

  test('answers with an error is told of once, and once more when it takes spans again', async () => {
    const receiver = await openTraceReceiver((response, index) => {
      if (index < 2) response.writeHead(500).end('SECRET words of the receiver')
      else takes(response)
    })
    const { tell, events, close } = open(receiver.url)
    for (const count of [3, 4, 5]) {
      const next = receiver.next()
      tell(count)
      await next
    }
    await close()
    expect(events).toEqual([
      { type: 'traces.failed', reason: '500' },
      { type: 'traces.recovered', lostSpans: 7 },
    ])
  })

  test('never answers is not waited for at the end longer than a moment, and spans beyond the queue are dropped', async () => {
    const receiver = await openTraceReceiver(() => {})
    const { tell, close } = open(receiver.url, {}, { ...patient, closeMaxMs: 50 })
    const next = receiver.next()
    tell(10_000)
    await next
    const startedAtMs = performance.now()
    await close()
    expect(performance.now() - startedAtMs).toBeLessThan(patient.sendMaxMs)
    // What was under way already, and the queue.
    expect(receiver.spans.length).toBeLessThanOrEqual(512 + 2_048)
  })

  test('takes what it is sent gets all that was left at the end', async () => {
    const receiver = await openTraceReceiver()
    const { tell, events, close } = open(receiver.url)
    tell(1_500)
    await close()
    expect(receiver.spans).toHaveLength(1_500)
    expect(events).toEqual([])
  })
})

describe('of a thousand traces', () => {
  test.each([
    ['always_on', 1, 1_000, 1_000],
    ['always_off', 1, 0, 0],
    ['traceidratio', 0.1, 50, 150],
    ['parentbased_always_on', 1, 1_000, 1_000],
    ['parentbased_always_off', 1, 0, 0],
    ['parentbased_traceidratio', 0, 0, 0],
  ] as const)('%s with %d tells from %d to %d', async (sampler, ratio, least, most) => {
    const receiver = await openTraceReceiver()
    const { tell, close } = open(receiver.url, { sampler, ratio })
    tell(1_000)
    await close()
    expect(receiver.spans.length).toBeGreaterThanOrEqual(least)
    expect(receiver.spans.length).toBeLessThanOrEqual(most)
  })
})

test('a text that is too long is cut off', async () => {
  const receiver = await openTraceReceiver()
  const { tracer, close } = open(receiver.url)
  tracer.startSpan('long', { attributes: { text: 'x'.repeat(100_000) } }).end()
  await close()
  expect(receiver.spans[0]?.attributes['text']).toBe('x'.repeat(32_768))
})
