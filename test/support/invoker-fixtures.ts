import type { ModelRequest } from '../../src/domain/invoker.ts'
import type { JsonObject } from '../../src/domain/json.ts'
import type { ToolSpec } from '../../src/domain/message.ts'

/** A request with one user message, and whatever a test says about it. */
export function modelRequest(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'gpt-4o',
    apiType: 'completion',
    messages: [
      { role: 'system', content: 'You are terse.' },
      { role: 'user', content: 'Name a river.' },
    ],
    modelArgs: {},
    tools: [],
    ...more,
  }
}

export const addTool: ToolSpec = {
  name: 'add',
  description: 'Adds two numbers.',
  parameters: {
    type: 'object',
    properties: { left: { type: 'number' }, right: { type: 'number' } },
    required: ['left', 'right'],
    additionalProperties: false,
  },
  strict: true,
}

/** A dialog in which the model called `add` twice at once and got both results. */
export const toolDialog: ModelRequest['messages'] = [
  { role: 'user', content: 'What is 1 + 2, and 3 + 4?' },
  {
    role: 'assistant',
    content: '',
    toolCalls: [
      { id: 'call_a', name: 'add', arguments: '{"left":1,"right":2}' },
      { id: 'call_b', name: 'add', arguments: '{"left":3,"right":4}' },
    ],
  },
  { role: 'tool', toolCallId: 'call_a', content: '3' },
  { role: 'tool', toolCallId: 'call_b', content: '7' },
]

export const personSchema: JsonObject = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0, maximum: 130 } },
  required: ['name', 'age'],
  additionalProperties: false,
}

/** A signal that never aborts. */
export const noAbort: AbortSignal = new AbortController().signal

/** What a promise rejects with. A promise that resolves fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const resolved = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('error' in resolved) return resolved.error
  throw new Error(`It resolved, with ${JSON.stringify(resolved.value)?.slice(0, 1000)}.`)
}
