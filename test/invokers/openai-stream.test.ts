import { describe, expect, test } from 'vitest'
import type { ApiType, Invoker } from '../../src/domain/invoker.ts'
import { messageLengthMax } from '../../src/invokers/growing-message.ts'
import { modelRequest, noAbort, rejection } from '../support/invoker-fixtures.ts'
import {
  callsTools,
  createGate,
  cutAfter,
  endless,
  errorFrame,
  garbage,
  halfEvent,
  refuses,
  says,
  stallAfter,
  stallAfterHeaders,
  status,
  streams,
} from '../support/scripted-provider.ts'
import { events, openInvoker, said, stream, streamFailure, streamOnce } from '../support/streamed.ts'

const apiTypes: readonly ApiType[] = ['completion', 'response']

describe.each(apiTypes)('a streamed reply (%s)', (apiType) => {
  test('is asked for, with its usage, and comes piece by piece', async () => {
    const { provider, invoker } = await openInvoker([streams(['The ', 'Rh', 'ine.'])])
    const { reply, pieces } = await stream(invoker, apiType)
    expect(provider.requests[0]?.body).toMatchObject({
      stream: true,
      ...(apiType === 'completion' ? { stream_options: { include_usage: true } } : {}),
    })
    expect(pieces).toEqual(['The ', 'Rh', 'ine.'])
    expect(reply).toMatchObject({ message: said('The Rhine.'), finishReason: 'stop', model: 'gpt-4o' })
    expect(reply.usage?.completionTokens).toBe(3)
  })

  test('passes a piece on before the next one is there', async () => {
    const gate = createGate()
    const { invoker } = await openInvoker([streams(['one', gate, 'two'])])
    const pieces: string[] = []
    await invoker.invoke(modelRequest({ apiType }), noAbort, (text) => {
      pieces.push(text)
      if (text === 'one') gate.open()
    })
    expect(pieces).toEqual(['one', 'two'])
  })

  test.each([
    [
      'several tool calls beside a text',
      callsTools(
        [
          { name: 'add', args: { left: 1, right: 2 } },
          { name: 'now', args: {} },
        ],
        { text: 'Let me see.' },
      ),
    ],
    ['arguments that are no JSON', callsTools([{ name: 'add', args: '{"left": oops' }])],
    ['a refusal', refuses('I will not say that.')],
    ['what was cut off', says('The Rhi', { finishReason: 'length' })],
    ['no usage', says('Hello.', { usage: null })],
    ['a usage that cannot be', says('Hello.', { rawUsage: { prompt_tokens: -1, input_tokens: 'many' } })],
    ['another model', says('Hello.', { model: 'gpt-4o-2024-08-06', usage: { cachedPromptTokens: 1 } })],
    ['emoji and other scripts', says('Grüße 🧑‍🚀 नमस्ते \u2028 \u0000 "}')],
    ['nothing', says('')],
  ])('is the same as the reply that comes as a whole: %s', async (_, answer) => {
    const [streamed, whole] = [await openInvoker([answer]), await openInvoker([answer])]
    const { reply } = await stream(streamed.invoker, apiType)
    expect(reply).toEqual(await whole.invoker.invoke(modelRequest({ apiType }), noAbort))
  })

  test.each([
    ['ends before it is complete', streams(['The Rh'], { omitFinish: true }), 'garbled'],
    ['ends in the middle of an event', halfEvent(['The ', 'Rh']), 'garbled'],
    ['is followed by an event that cannot be read', garbage(['The ', 'Rh']), 'garbled'],
    ['is followed by an error of the provider', errorFrame(['The ', 'Rh']), 'failed'],
    ['is cut off', cutAfter(['The ', 'Rh']), 'unreachable'],
  ])('that %s is a failure with what had come, and perhaps billed', async (_, reply, kind) => {
    const error = await streamFailure([reply], apiType)
    expect(error).toMatchObject({ name: 'ProviderError', kind, partial: said('The Rh'), mayBeBilled: true })
    expect(JSON.stringify(error) + String(error)).not.toContain('SECRET')
  })

  test('that fails before anything has come holds nothing', async () => {
    expect(await streamFailure([errorFrame()], apiType)).toMatchObject({
      kind: 'failed',
      partial: null,
      mayBeBilled: true,
    })
  })

  test.each([
    ['after the head', stallAfterHeaders()],
    ['after some text', stallAfter(['The ', 'Rh'])],
  ])('that stalls %s ends with the signal, and its socket is closed', async (_, reply) => {
    const { provider, invoker } = await openInvoker([reply])
    const controller = new AbortController()
    const rejected = rejection(stream(invoker, apiType, controller.signal))
    await provider.until(({ streamsBegun }) => streamsBegun === 1)
    controller.abort('the deadline')
    expect(await rejected).toBe('the deadline')
    await provider.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0)
  })

  test('that a taker does not take is held up at the provider, whose socket is closed by the signal', async () => {
    const { provider, invoker } = await openInvoker([endless('x'.repeat(10_000))])
    const controller = new AbortController()
    const rejected = rejection(
      invoker.invoke(modelRequest({ apiType }), controller.signal, () => new Promise<void>(() => {})),
    )
    await provider.untilStuck()
    // What a socket holds on its way is the system's affair: some megabytes at the most.
    expect(provider.bytesStreamed).toBeLessThan(16_000_000)
    controller.abort('the reader has left')
    expect(await rejected).toBe('the reader has left')
    await provider.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0)
  })

  test('that does not end is given up at a size that no reply has, and its socket closed', async () => {
    const { provider, invoker } = await openInvoker([endless('x'.repeat(10_000))])
    const error = await rejection(stream(invoker, apiType))
    expect(error).toMatchObject({ kind: 'garbled', mayBeBilled: true })
    expect((error as { partial: { content: string } }).partial.content.length).toBeLessThanOrEqual(messageLengthMax)
    await provider.until(({ aborted, inFlight }) => aborted === 1 && inFlight === 0)
  })

  test('with an event that is longer than a reply can be is given up', async () => {
    expect(await streamFailure([streams(['x'.repeat(1_300_000)])], apiType)).toMatchObject({ kind: 'garbled' })
  })

  test.each([
    ['a status', status(503), { kind: 'failed', status: 503, partial: null, mayBeBilled: false }],
    ['a page of HTML', status(200, { headers: { 'content-type': 'text/html' }, body: '<p>Hi' }), { kind: 'garbled' }],
    ['nothing', events(''), { kind: 'garbled', partial: null, mayBeBilled: true }],
  ])('is no stream at all, but %s', async (_, reply, error) => {
    expect(await streamFailure([reply], apiType)).toMatchObject(error)
  })

  test('that comes as a whole all the same is taken', async () => {
    const { invoker } = await openInvoker([says('The Rhine.')])
    const whole = JSON.stringify(await wholeBody(invoker, apiType))
    const { reply, pieces } = await streamOnce([status(200, { body: whole })], apiType)
    expect(reply.message).toEqual(said('The Rhine.'))
    expect(pieces).toEqual(['The Rhine.'])
  })

  test('leaves its socket to the next', async () => {
    const { provider, invoker } = await openInvoker(() => streams(['one ', 'two']))
    for (let call = 0; call < 20; call++) await stream(invoker, apiType)
    expect(new Set(provider.requests.map(({ clientPort }) => clientPort)).size).toBeLessThanOrEqual(2)
  })
})

/** The body with which the scripted provider answers a request that asks for no stream. */
async function wholeBody(invoker: Invoker, apiType: ApiType): Promise<unknown> {
  const path = apiType === 'completion' ? '/chat/completions' : '/responses'
  return (await fetch(invoker.apiUrl + path, { method: 'POST', body: '{"model":"gpt-4o"}' })).json()
}
