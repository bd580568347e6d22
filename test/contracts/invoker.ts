import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApiType, Invoker, OnDelta } from '../../src/domain/invoker.ts'
import { addTool, modelRequest, noAbort, personSchema, rejection, toolDialog } from '../support/invoker-fixtures.ts'

export interface OpenedInvoker {
  readonly invoker: Invoker
  close(): Promise<void>
}

/** What holds for every invoker. The model behind it answers plain questions, calls `add` when offered, and fits schemas. */
export function invokerContract(name: string, apiType: ApiType, open: () => Promise<OpenedInvoker>): void {
  describe(`${name} as an invoker`, () => {
    let opened: OpenedInvoker
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      await opened.invoker.close()
      await opened.close()
    })
    const invoke = (more: Parameters<typeof modelRequest>[0] = {}, signal = noAbort, onDelta?: OnDelta) =>
      opened.invoker.invoke(modelRequest({ apiType, ...more }), signal, onDelta)

    test('answers a question with text, an id, a model, a finish reason and a usage', async () => {
      const reply = await invoke()
      expect(reply.message.role).toBe('assistant')
      expect(reply.message.content).not.toBe('')
      expect(reply.message.toolCalls).toBeUndefined()
      expect(reply).toMatchObject({ id: expect.any(String), model: expect.any(String), finishReason: 'stop' })
      expect(reply.usage?.promptTokens).toBeGreaterThan(0)
      expect(reply.usage?.completionTokens).toBeGreaterThan(0)
    })

    test('gives tool calls with an id, a name and arguments as text', async () => {
      const reply = await invoke({ tools: [addTool] })
      const [call] = reply.message.toolCalls ?? []
      expect(reply.finishReason).toBe('tool_calls')
      expect(call).toMatchObject({ id: expect.stringMatching(/./), name: 'add' })
      expect(JSON.parse(call?.arguments ?? '')).toMatchObject({ left: expect.any(Number), right: expect.any(Number) })
    })

    test('answers after the results of tools', async () => {
      const reply = await invoke({ tools: [addTool], messages: toolDialog })
      expect(reply.message.toolCalls).toBeUndefined()
      expect(reply.message.content).not.toBe('')
    })

    test('gives JSON where a schema is asked for', async () => {
      const reply = await invoke({
        format: { kind: 'json', name: 'person', schema: personSchema, strict: true, full: personSchema },
      })
      expect(JSON.parse(reply.message.content)).toEqual({ name: expect.any(String), age: expect.any(Number) })
    })

    test('answers many requests at once', async () => {
      const replies = await Promise.all(Array.from({ length: 50 }, () => invoke()))
      expect(replies.every(({ message }) => message.content !== '')).toBe(true)
    })

    test('rejects with the reason of a signal that aborted before, whatever that is', async () => {
      const reason = { why: 'the call was cancelled' }
      expect(await rejection(invoke({}, AbortSignal.abort(reason)))).toBe(reason)
    })

    test.each([
      ['text', {}],
      ['tool calls', { tools: [addTool] }],
      ['text after the results of tools', { tools: [addTool], messages: toolDialog }],
      ['JSON', { format: { kind: 'json', name: 'person', schema: personSchema, strict: true, full: personSchema } }],
    ] as const)('streams the same reply that it gives as a whole: %s', async (_, more) => {
      const whole = await invoke(more)
      const pieces: string[] = []
      const other = await open()
      const streamed = await other.invoker.invoke(modelRequest({ apiType, ...more }), noAbort, (text) => {
        pieces.push(text)
      })
      await other.invoker.close()
      await other.close()
      expect(streamed).toEqual(whole)
      expect(pieces.join('')).toBe(whole.message.content)
      expect(pieces).not.toContain('')
    })

    test('streams text in several pieces, the next of which waits until the last one is taken', async () => {
      let pieces = 0
      let waiting = 0
      await invoke({}, noAbort, async () => {
        pieces++
        expect(++waiting).toBe(1)
        await new Promise(setImmediate)
        waiting--
      })
      expect(pieces).toBeGreaterThan(1)
    })

    test('rejects with what the taker of a piece rejects with, and gives it no other piece', async () => {
      const failure = new Error('the reader is gone')
      let pieces = 0
      const take = async () => {
        pieces++
        throw failure
      }
      expect(await rejection(invoke({}, noAbort, take))).toBe(failure)
      expect(pieces).toBe(1)
    })

    test.each([
      ['that is still being taken', () => new Promise<void>(() => {})],
      ['that is taken at once', () => undefined],
    ])(
      'rejects with the reason of a signal that aborts during a piece %s, and gives no other piece',
      async (_, take) => {
        const controller = new AbortController()
        const reason = { why: 'the call was cancelled' }
        let pieces = 0
        const takeAndAbort = () => {
          pieces++
          controller.abort(reason)
          return take()
        }
        expect(await rejection(invoke({}, controller.signal, takeAndAbort))).toBe(reason)
        expect(pieces).toBe(1)
      },
    )

    test.each([
      ['a reply', undefined],
      ['a stream', () => undefined],
    ])('holds on to no signal after %s', async (_, onDelta) => {
      const { signal } = new AbortController()
      let listeners = 0
      signal.addEventListener = new Proxy(signal.addEventListener, {
        apply: (target, self, given) => {
          listeners++
          return Reflect.apply(target, self, given)
        },
      })
      signal.removeEventListener = new Proxy(signal.removeEventListener, {
        apply: (target, self, given) => {
          listeners--
          return Reflect.apply(target, self, given)
        },
      })
      await invoke({}, signal, onDelta)
      expect(listeners).toBe(0)
    })

    test('can be closed unused, and twice', async () => {
      const unused = await open()
      await unused.invoker.close()
      await unused.invoker.close()
      await unused.close()
    })
  })
}
