import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readResponsesReply, toResponsesBody } from '../../src/invokers/openai-responses.ts'
import { addTool, modelRequest, personSchema, toolDialog } from '../support/invoker-fixtures.ts'

describe('the body of a request to the responses API', () => {
  test('has the model, the messages as input, and the arguments of the model; the provider need not keep it', () => {
    expect(toResponsesBody(modelRequest({ modelArgs: { max_output_tokens: 50 } }), 'developer')).toEqual({
      model: 'gpt-4o',
      input: [
        { role: 'developer', content: 'You are terse.' },
        { role: 'user', content: 'Name a river.' },
      ],
      max_output_tokens: 50,
      store: false,
    })
  })

  test('lets no argument change what is asked, but lets one say that the provider keeps it', () => {
    const modelArgs = { input: 'x', messages: [], background: true, stream: true, tool_choice: 'required', store: true }
    expect(toResponsesBody(modelRequest({ modelArgs }), 'developer')).toEqual({
      ...toResponsesBody(modelRequest(), 'developer'),
      store: true,
    })
  })

  test('makes items of tool calls and of their results', () => {
    expect(toResponsesBody(modelRequest({ messages: toolDialog, tools: [addTool] }), 'developer')).toMatchObject({
      input: [
        { role: 'user', content: 'What is 1 + 2, and 3 + 4?' },
        { type: 'function_call', call_id: 'call_a', name: 'add', arguments: '{"left":1,"right":2}' },
        { type: 'function_call', call_id: 'call_b', name: 'add', arguments: '{"left":3,"right":4}' },
        { type: 'function_call_output', call_id: 'call_a', output: '3' },
        { type: 'function_call_output', call_id: 'call_b', output: '7' },
      ],
      tools: [{ type: 'function', name: 'add', description: 'Adds two numbers.', strict: true }],
    })
  })

  test('sends what the model said before, its refusals too, and no names', () => {
    const messages = [
      { role: 'user', content: 'Hi', name: 'critic' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'assistant', content: '', refusal: 'I will not.' },
    ] as const
    expect(toResponsesBody(modelRequest({ messages }), 'developer')).toMatchObject({
      input: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'assistant', content: 'I will not.' },
      ],
    })
  })

  test('sends images by their URL, or as data with their own media type', () => {
    const content = [
      { type: 'text', text: 'What is it?' },
      { type: 'image', base64: 'R0lG', mediaType: 'image/gif' },
    ] as const
    expect(toResponsesBody(modelRequest({ messages: [{ role: 'user', content }] }), 'developer')).toMatchObject({
      input: [
        {
          content: [
            { type: 'input_text', text: 'What is it?' },
            { type: 'input_image', image_url: 'data:image/gif;base64,R0lG' },
          ],
        },
      ],
    })
  })

  test('asks for a JSON schema beside the other wishes for the text', () => {
    const format = { kind: 'json', name: 'person', schema: personSchema, strict: false, full: personSchema } as const
    expect(
      toResponsesBody(modelRequest({ format, modelArgs: { text: { verbosity: 'low' } } }), 'developer'),
    ).toMatchObject({
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', name: 'person', schema: personSchema, strict: false },
      },
    })
  })
})

describe('reading a response', () => {
  const usage = {
    input_tokens: 9,
    output_tokens: 8,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens_details: { reasoning_tokens: 5 },
  }
  const said = (text: string) => ({ type: 'message', content: [{ type: 'output_text', text, annotations: [] }] })
  const response = (output: unknown, more: object = {}) => ({
    id: 'resp_1',
    model: 'gpt-5',
    status: 'completed',
    output,
    usage,
    ...more,
  })

  test('gives the text past the reasoning, and the usage with cached and reasoning tokens', () => {
    expect(readResponsesReply(response([{ type: 'reasoning', summary: [] }, said('The Rhine.')]))).toEqual({
      id: 'resp_1',
      model: 'gpt-5',
      message: { role: 'assistant', content: 'The Rhine.' },
      finishReason: 'stop',
      usage: { promptTokens: 9, cachedPromptTokens: 4, completionTokens: 8, reasoningTokens: 5 },
    })
  })

  test('gives tool calls by the id that their results are told with', () => {
    const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'add', arguments: '{}' }
    expect(readResponsesReply(response([call]))).toMatchObject({
      finishReason: 'tool_calls',
      message: { content: '', toolCalls: [{ id: 'call_1', name: 'add', arguments: '{}' }] },
    })
  })

  test('tells a refusal', () => {
    const refused = { type: 'message', content: [{ type: 'refusal', refusal: 'I will not.' }] }
    expect(readResponsesReply(response([refused])).message).toEqual({
      role: 'assistant',
      content: '',
      refusal: 'I will not.',
    })
  })

  test.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
  ])('calls an incomplete reply (%s) finished by `%s`', (reason, finishReason) => {
    const cut = response([], { status: 'incomplete', incomplete_details: { reason } })
    expect(readResponsesReply(cut)).toMatchObject({ finishReason, message: { content: '' } })
  })

  test.each([
    ['no output', response([])],
    ['output that is no list', response('text')],
    ['a message without content', response([{ type: 'message' }])],
    ['a reply that is still to come', response([said('x')], { status: 'queued' })],
  ])('rejects %s as garbled, and keeps what it cost', (_, body) => {
    expect(() => readResponsesReply(body)).toThrow(
      expect.objectContaining({
        kind: 'garbled',
        mayBeBilled: true,
        usage: expect.objectContaining({ promptTokens: 9 }),
      }),
    )
  })

  test('tells a failure that comes with status 200, without quoting it', () => {
    const failed = response([], { status: 'failed', error: { code: 'server_error', message: 'SECRET' } })
    expect(() => readResponsesReply(failed)).toThrow(
      expect.objectContaining({ kind: 'failed', mayBeBilled: true, message: expect.not.stringContaining('SECRET') }),
    )
  })

  test('never fails in any other way, whatever JSON comes', async () => {
    const someJson = fc.jsonValue({ maxDepth: 5 })
    const item = fc.record({
      type: fc.constantFrom('message', 'function_call', 'x'),
      content: someJson,
      name: someJson,
    })
    const nearly = fc.record({ status: someJson, output: fc.array(fc.oneof(someJson, item)), usage: someJson })
    await fc.assert(
      fc.property(fc.oneof(someJson, nearly), (body) => {
        try {
          expect(typeof readResponsesReply(body).message.content).toBe('string')
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProviderError' })
        }
      }),
    )
  })
})
