import { describe, expect, test } from 'vitest'
import type { ModelReply } from '../../src/domain/invoker.ts'
import { rejection } from '../support/invoker-fixtures.ts'
import { emptyChoices } from '../support/scripted-provider.ts'
import { events, openInvokerAt, said, serveEvents, stream, streamFailure, streamOnce } from '../support/streamed.ts'

const chunk = (choice: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, ...choice }], ...more })}\n\n`
const hello = chunk({ delta: { content: 'Hello' }, finish_reason: 'stop' })

describe('a stream of chat completion chunks', () => {
  const replyTo = async (body: string): Promise<ModelReply> => (await streamOnce([events(body)], 'completion')).reply

  test.each([
    ['[DONE] is missing', hello],
    ['lines end as on Windows', `${hello}data: [DONE]\n\n`.replaceAll('\n', '\r\n')],
    ['a byte order mark comes first', `\ufeff${hello}`],
    ['there are comments and garbage lines', `: PROCESSING\n\n<br>\nretry: 1\n${hello}: bye\n\n`],
    ['there is no space after `data:`', hello.replace('data: ', 'data:')],
    ['an event has several lines of data', hello.replace(',"choices"', ',\ndata: "choices"')],
    ['the last line is not ended', hello.trimEnd()],
    ['there are events that mean nothing', `data: {"type":"ping"}\n\ndata: {"choices":[]}\n\n${hello}`],
    ['there is another choice', chunk({ index: 1, delta: { content: 'Ahoy' } }) + hello],
    ['what follows [DONE] is garbage', `${hello}data: [DONE]\n\ndata: {oops\n\ndata: {"error":"late"}\n\n`],
    ['what follows the finish reason is garbage', `${hello}data: {oops\n\n`],
    ['content comes in parts', hello.replace('"Hello"', '[{"type":"text","text":"Hel"},{"text":"lo"}]')],
  ])('is read although %s', async (_, body) => {
    expect(await replyTo(body)).toMatchObject({ id: 'c', model: 'm', message: said('Hello'), finishReason: 'stop' })
  })

  test('is over with [DONE], even if the provider goes on', async () => {
    const junk = 'data: {"junk":true}\n\n'.repeat(1000)
    const url = await serveEvents((_, outgoing) => {
      outgoing.write(`${hello}data: [DONE]\n\n`)
      outgoing.on('drain', () => outgoing.write(junk)).write(junk)
    })
    expect((await stream(openInvokerAt(url), 'completion')).reply.message).toEqual(said('Hello'))
  })

  test('is over with [DONE], even if the provider does not end, whose socket is closed', async () => {
    const closed = Promise.withResolvers<void>()
    const url = await serveEvents((_, outgoing) => {
      outgoing.on('close', () => closed.resolve()).write(`${hello}data: [DONE]\n\n`)
    })
    expect((await stream(openInvokerAt(url), 'completion')).reply.message).toEqual(said('Hello'))
    await closed.promise
  })

  test('is complete with its finish reason, whatever becomes of the connection', async () => {
    const url = await serveEvents((_, outgoing) => outgoing.write(hello, () => outgoing.destroy()))
    const { reply } = await stream(openInvokerAt(url), 'completion')
    expect(reply).toMatchObject({ message: said('Hello'), finishReason: 'stop', usage: null })
  })

  test('counts the last usage that it tells, also when it fails', async () => {
    const usage = (completion_tokens: number) => ({ usage: { prompt_tokens: 9, completion_tokens } })
    const body = chunk({ delta: { content: 'a' } }, usage(1)) + chunk({ delta: { content: 'b' } }, usage(2))
    expect(await streamFailure([events(body)], 'completion')).toMatchObject({
      kind: 'garbled',
      partial: said('ab'),
      usage: { promptTokens: 9, completionTokens: 2 },
    })
    expect(await streamFailure([emptyChoices({ usage: { completionTokens: 5 } })], 'completion')).toMatchObject({
      kind: 'garbled',
      partial: null,
      usage: { completionTokens: 5 },
    })
  })

  const toolDelta = (...calls: readonly object[]) => chunk({ delta: { tool_calls: calls } })
  const finish = chunk({ delta: {}, finish_reason: 'tool_calls' })

  test('assembles tool calls by their index, in whatever order their pieces come', async () => {
    const body =
      toolDelta({ index: 0, id: 'a', function: { name: 'add', arguments: '' } }) +
      toolDelta({ index: 1, id: 'b', function: { name: 'now' } }, { index: 0, function: { arguments: '{"left"' } }) +
      toolDelta({ index: 1, id: 'b', function: { name: 'now', arguments: '{}' } }) +
      toolDelta({ index: 0, id: '', function: { arguments: ':1}' } })
    expect((await replyTo(body + finish)).message).toEqual({
      role: 'assistant',
      content: '',
      toolCalls: [
        { id: 'a', name: 'add', arguments: '{"left":1}' },
        { id: 'b', name: 'now', arguments: '{}' },
      ],
    })
  })

  test('tells calls apart that a server does not number', async () => {
    const call = (id: string, more: object) => ({ id, function: { name: `tool_${id}`, arguments: { id } }, ...more })
    const expected = [
      { id: 'a', name: 'tool_a', arguments: '{"id":"a"}' },
      { id: 'b', name: 'tool_b', arguments: '{"id":"b"}' },
    ]
    const unnumbered = toolDelta(call('a', {})) + toolDelta(call('b', {}))
    const alike = toolDelta(call('a', { index: 0 }), call('b', { index: 0 }))
    expect((await replyTo(unnumbered + finish)).message.toolCalls).toEqual(expected)
    expect((await replyTo(alike + finish)).message.toolCalls).toEqual(expected)
  })

  test.each([
    ['a chunk that is no object', 'data: 42\n\n'],
    ['a text that is a number', chunk({ delta: { content: 42 } })],
    ['a tool call without a name', toolDelta({ index: 0, id: 'a', function: { arguments: '{}' } }) + finish],
    [
      'more tool calls than can be meant',
      toolDelta(...Array.from({ length: 129 }, (_, index) => ({ index }))) + finish,
    ],
    ['nesting without end', `data: ${'['.repeat(500_000)}\n\n`],
  ])('is garbled by %s', async (_, body) => {
    expect(await streamFailure([events(body)], 'completion')).toMatchObject({
      name: 'ProviderError',
      kind: 'garbled',
      mayBeBilled: true,
    })
  })

  test('that never says anything is given up at a size that no stream has', async () => {
    const comments = `${': '.padEnd(65_535, 'x')}\n`
    const url = await serveEvents((_, outgoing) => {
      const write = () => {
        while (outgoing.write(comments));
      }
      outgoing.on('drain', write)
      write()
    })
    expect(await rejection(stream(openInvokerAt(url), 'completion'))).toMatchObject({ kind: 'garbled', partial: null })
  })
})
