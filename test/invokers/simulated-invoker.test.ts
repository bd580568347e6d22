import { describe, expect, test } from 'vitest'
import { tagParser } from '../../src/domain/tag-parser.ts'
import { createSimulatedInvoker } from '../../src/invokers/simulated-invoker.ts'
import { addTool, modelRequest, noAbort, personSchema, toolDialog } from '../support/invoker-fixtures.ts'

const invoker = createSimulatedInvoker()
const answer = async (more: Parameters<typeof modelRequest>[0]) => invoker.invoke(modelRequest(more), noAbort)

describe('the simulated model', () => {
  test('says that it is simulated, and what it was asked', async () => {
    const { message, id, model } = await answer({})
    expect(invoker.simulated).toBe(true)
    expect(message.content).toBe('[simulated] A reply to “Name a river.”.')
    expect(id).toMatch(/^sim_[0-9a-f]{24}$/)
    expect(model).toBe('simulated')
  })

  test('streams what it says word by word', async () => {
    const words: string[] = []
    await invoker.invoke(modelRequest(), noAbort, (word) => {
      words.push(word)
    })
    expect(words).toEqual(['[simulated] ', 'A ', 'reply ', 'to ', '“Name ', 'a ', 'river.”.'])
  })

  test('repeats no more than the beginning of a long message, on one line', async () => {
    const { message } = await answer({ messages: [{ role: 'user', content: `One\n\ntwo ${'😀'.repeat(1_000_000)}` }] })
    expect(message.content).toMatch(/^\[simulated\] A reply to “One two 😀+�?…”\.$/u)
    expect(message.content.length).toBeLessThan(200)
  })

  test('gives the same reply to the same request, and another one to another', async () => {
    const format = { kind: 'json', name: 'person', schema: personSchema, strict: true, full: personSchema } as const
    const first = await answer({ format })
    expect(await answer({ format })).toEqual(first)
    expect((await answer({ format, modelArgs: { seed: 2 } })).id).not.toBe(first.id)
  })

  test('fits what strict mode cannot say: lengths and patterns', async () => {
    const full = { type: 'object', properties: { code: { type: 'string', minLength: 12 } }, required: ['code'] }
    const schema = { type: 'object', properties: { code: { type: 'string' } }, required: ['code'] }
    const { message } = await answer({ format: { kind: 'json', name: 'code', schema, strict: true, full } })
    expect(JSON.parse(message.content).code.length).toBeGreaterThanOrEqual(12)
  })

  test('writes all tags, fenced blocks and signals that a parser looks for', async () => {
    const parser = tagParser({
      tags: { required: ['title', 'summary'], optional: ['note'] },
      fences: { required: ['json', 'python'] },
      signals: ['DONE'],
    })
    const { message } = await answer({ ...(parser.format === undefined ? {} : { format: parser.format }) })
    const parsed = parser.parse(message.content)
    expect(message.content).toMatch(/^\[simulated\]/)
    expect(parsed.tags.title[0].content).toBe('simulated title')
    expect(parsed.tags.note).toHaveLength(1)
    expect(JSON.parse(parsed.fences.json[0])).toEqual({ simulated: true })
    expect(parsed.signals.DONE).toBe(true)
  })

  test('calls the first tool that is offered, then answers from its results', async () => {
    const first = await answer({ tools: [addTool] })
    expect(first.message.toolCalls).toMatchObject([{ name: 'add' }])
    const then = await answer({ tools: [addTool], messages: toolDialog })
    expect(then.message.content).toBe('[simulated] A reply to “What is 1 + 2, and 3 + 4?”. The tools gave “3; 7”.')
  })

  test('calls a tool again when the user has said something new', async () => {
    const messages = [
      ...toolDialog,
      { role: 'assistant', content: '3 and 7' },
      { role: 'user', content: 'And 5 + 6?' },
    ] as const
    expect((await answer({ tools: [addTool], messages })).message.toolCalls).toHaveLength(1)
  })

  test('counts a token for every four characters', async () => {
    const { usage } = await answer({ messages: [{ role: 'user', content: 'x'.repeat(400) }] })
    expect(usage).toMatchObject({ promptTokens: 100, cachedPromptTokens: 0, reasoningTokens: 0 })
  })
})
