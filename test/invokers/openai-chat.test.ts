import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readChatReply, toChatBody } from '../../src/invokers/openai-chat.ts'
import { addTool, modelRequest, personSchema, toolDialog } from '../support/invoker-fixtures.ts'

describe('the body of a chat completion', () => {
  test('has the model, the messages, and the arguments of the model beside them', () => {
    expect(toChatBody(modelRequest({ modelArgs: { temperature: 0.2, seed: 7 } }), 'developer')).toEqual({
      model: 'gpt-4o',
      messages: [
        { role: 'developer', content: 'You are terse.' },
        { role: 'user', content: 'Name a river.' },
      ],
      temperature: 0.2,
      seed: 7,
    })
  })

  test('calls instructions `system` for servers that know no other role', () => {
    expect(toChatBody(modelRequest(), 'system')).toMatchObject({ messages: [{ role: 'system' }, { role: 'user' }] })
  })

  test('lets no argument change the model, the messages, the tools, or how the reply comes', () => {
    const stream = { stream: true, stream_options: { include_usage: false } }
    const modelArgs = { model: 'other', messages: [], input: 'x', tools: [], ...stream, background: true }
    expect(toChatBody(modelRequest({ modelArgs }), 'developer')).toEqual(toChatBody(modelRequest(), 'developer'))
  })

  test('leaves out arguments about tools where no tools are offered, which OpenAI would refuse', () => {
    const modelArgs = { tool_choice: 'required', parallel_tool_calls: false }
    expect(toChatBody(modelRequest({ modelArgs }), 'developer')).not.toHaveProperty('tool_choice')
    expect(toChatBody(modelRequest({ modelArgs, tools: [addTool] }), 'developer')).toMatchObject(modelArgs)
  })

  test('carries tool calls, and each result with the id of its call', () => {
    expect(toChatBody(modelRequest({ messages: toolDialog, tools: [addTool] }), 'developer')).toMatchObject({
      messages: [
        { role: 'user', content: 'What is 1 + 2, and 3 + 4?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_a', type: 'function', function: { name: 'add', arguments: '{"left":1,"right":2}' } },
            { id: 'call_b', type: 'function', function: { name: 'add', arguments: '{"left":3,"right":4}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_a', content: '3' },
        { role: 'tool', tool_call_id: 'call_b', content: '7' },
      ],
      tools: [
        { type: 'function', function: { name: 'add', description: 'Adds two numbers.', parameters: {}, strict: true } },
      ],
    })
  })

  test('sends the name of a speaker only where there is one, in the characters that OpenAI accepts', () => {
    const named = (name: string) =>
      toChatBody(modelRequest({ messages: [{ role: 'user', content: 'Hi', name }] }), 'developer')
    expect(named('Dr. Müller')).toMatchObject({ messages: [{ name: 'Dr__M_ller' }] })
    expect(named('x'.repeat(100))).toMatchObject({ messages: [{ name: 'x'.repeat(64) }] })
    expect(named('')).toEqual({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] })
  })

  test('sends images by their URL, or as data with their own media type', () => {
    const content = [
      { type: 'text', text: 'Which is larger?' },
      { type: 'image', url: 'https://example.com/cat.png' },
      { type: 'image', base64: 'R0lG', mediaType: 'image/gif' },
    ] as const
    expect(toChatBody(modelRequest({ messages: [{ role: 'user', content }] }), 'developer')).toMatchObject({
      messages: [
        {
          content: [
            { type: 'text', text: 'Which is larger?' },
            { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
            { type: 'image_url', image_url: { url: 'data:image/gif;base64,R0lG' } },
          ],
        },
      ],
    })
  })

  test('asks for a JSON schema, and says nothing of tags', () => {
    const json = { kind: 'json', name: 'a person', schema: personSchema, strict: true, full: personSchema } as const
    expect(toChatBody(modelRequest({ format: json }), 'developer')).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'a_person', schema: personSchema, strict: true } },
    })
    const tags = { kind: 'tags', tags: ['summary'], fences: [], signals: [] } as const
    expect(toChatBody(modelRequest({ format: tags }), 'developer')).toEqual(toChatBody(modelRequest(), 'developer'))
  })

  test('repeats a refusal of the model as its own words', () => {
    const messages = [{ role: 'assistant', content: '', refusal: 'I will not.' }] as const
    expect(toChatBody(modelRequest({ messages }), 'developer')).toMatchObject({
      messages: [{ role: 'assistant', content: null, refusal: 'I will not.' }],
    })
  })
})

describe('reading a chat completion', () => {
  const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 } }
  const completion = (message: object, more: object = {}) => ({
    id: 'chatcmpl-1',
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', ...message } }],
    usage,
    ...more,
  })

  test('gives the text, the model that answered, the finish reason and the usage', () => {
    expect(readChatReply(completion({ content: 'The Rhine.' }))).toEqual({
      id: 'chatcmpl-1',
      model: 'gpt-4o-2024-08-06',
      message: { role: 'assistant', content: 'The Rhine.' },
      finishReason: 'stop',
      usage: { promptTokens: 9, cachedPromptTokens: 4, completionTokens: 3, reasoningTokens: 0 },
    })
  })

  test.each([
    ['null', null, ''],
    ['missing', undefined, ''],
    [
      'in parts',
      [
        { type: 'text', text: 'The ' },
        { type: 'text', text: 'Rhine.' },
      ],
      'The Rhine.',
    ],
  ])('reads content that is %s', (_, content, text) => {
    expect(readChatReply(completion({ content })).message.content).toBe(text)
  })

  test('takes tool calls for what they are, whatever the finish reason says', () => {
    const tool_calls = [{ id: 'call_1', type: 'function', function: { name: 'add', arguments: '{"left":' } }]
    expect(readChatReply(completion({ content: null, tool_calls }))).toMatchObject({
      finishReason: 'stop',
      message: { content: '', toolCalls: [{ id: 'call_1', name: 'add', arguments: '{"left":' }] },
    })
  })

  test('takes tool calls without an id, or whose arguments are not text', () => {
    const tool_calls = [{ function: { name: 'add', arguments: { left: 1 } } }, { id: '', function: { name: 'now' } }]
    expect(readChatReply(completion({ tool_calls })).message.toolCalls).toEqual([
      { id: 'call_0', name: 'add', arguments: '{"left":1}' },
      { id: 'call_1', name: 'now', arguments: '{}' },
    ])
  })

  test('tells a refusal, beside the text or in its parts', () => {
    expect(readChatReply(completion({ content: null, refusal: 'I will not.' })).message).toEqual({
      role: 'assistant',
      content: '',
      refusal: 'I will not.',
    })
    const content = [{ type: 'refusal', refusal: 'I will not.' }]
    expect(readChatReply(completion({ content })).message.refusal).toBe('I will not.')
  })

  test.each([
    ['no choices', { choices: [] }],
    ['an error in place of choices', { choices: undefined, error: { message: 'SECRET' } }],
    ['a choice without a message', { choices: [{ finish_reason: 'stop' }] }],
    ['a text that is a number', { choices: [{ message: { content: 42 } }] }],
    ['a tool call without a function', { choices: [{ message: { tool_calls: [{ id: 'x' }] } }] }],
    [
      'more tool calls than can be meant',
      { choices: [{ message: { tool_calls: Array(129).fill({ function: { name: 'a' } }) } }] },
    ],
  ])('rejects %s as garbled, and keeps what it cost', (_, more) => {
    expect(() => readChatReply(completion({}, more))).toThrow(
      expect.objectContaining({
        kind: 'garbled',
        mayBeBilled: true,
        usage: { promptTokens: 9, cachedPromptTokens: 4, completionTokens: 3, reasoningTokens: 0 },
        message: expect.not.stringContaining('SECRET'),
      }),
    )
  })

  test('never fails in any other way, whatever JSON comes', async () => {
    const someJson = fc.jsonValue({ maxDepth: 5 })
    const nearly = fc.record({
      choices: fc.array(
        fc.record({ message: fc.oneof(someJson, fc.record({ content: someJson, tool_calls: someJson })) }),
      ),
      usage: someJson,
    })
    await fc.assert(
      fc.property(fc.oneof(someJson, nearly), (body) => {
        try {
          expect(typeof readChatReply(body).message.content).toBe('string')
        } catch (error) {
          expect(error).toMatchObject({ name: 'ProviderError', kind: 'garbled' })
        }
      }),
    )
  })
})
