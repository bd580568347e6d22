import { describe, expect, test } from 'vitest'
import { events, said, streamFailure } from '../support/streamed.ts'

describe('a stream of the responses API', () => {
  const frame = (event: object) => `data: ${JSON.stringify(event)}\n\n`
  const usage = { input_tokens: 9, output_tokens: 3 }

  test('that failed says so with its usage', async () => {
    const body =
      frame({ type: 'response.output_text.delta', delta: 'The Rh' }) +
      frame({ type: 'response.failed', response: { output: [], error: { message: 'SECRET' }, usage } })
    expect(await streamFailure([events(body)], 'response')).toMatchObject({
      kind: 'failed',
      partial: said('The Rh'),
      usage: { promptTokens: 9, completionTokens: 3 },
      mayBeBilled: true,
      message: expect.not.stringContaining('SECRET'),
    })
  })

  test('that is cut off in a tool call holds what had come of it', async () => {
    const item = { type: 'function_call', call_id: 'a', name: 'add', arguments: '' }
    const body =
      frame({ type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning' } }) +
      frame({ type: 'response.output_item.added', output_index: 1, item }) +
      frame({ type: 'response.function_call_arguments.delta', output_index: 1, delta: '{"left"' })
    expect(await streamFailure([events(body)], 'response')).toMatchObject({
      kind: 'garbled',
      partial: { content: '', toolCalls: [{ id: 'a', name: 'add', arguments: '{"left"' }] },
    })
  })

  test.each([
    ['an event that is no object', 'data: 42\n\n'],
    ['a piece of text that is none', frame({ type: 'response.output_text.delta', delta: 42 })],
    ['an end without a response', frame({ type: 'response.completed' })],
    ['a response without output', frame({ type: 'response.completed', response: { output: [] } })],
  ])('is garbled by %s', async (_, body) => {
    expect(await streamFailure([events(body)], 'response')).toMatchObject({ name: 'ProviderError', kind: 'garbled' })
  })
})
