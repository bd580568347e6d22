import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { definePrompt } from '../../src/domain/prompt.ts'
import { callsTool, saysJson } from '../../src/testing/answers.ts'
import { type Script, says } from '../../src/testing/scripted-model.ts'
import { Ask, doing } from '../support/ask.ts'
import { house } from '../support/house.ts'

const Fact = z.object({ fact: z.string(), year: z.number().optional() })
const AskFact = doing((writer) => writer.open('talk').receive('A fact, please.').respondAs(Fact))

describe('a reply that cannot be used', () => {
  test('is sent back with the reason, at most max_exception_retry times', async () => {
    const { session, model } = house({ tactics: [AskFact], model: says('no JSON'), global: { max_exception_retry: 2 } })
    expect(await session('go')).toMatchObject({
      ok: false,
      error: { code: 'reply-unusable', message: expect.stringContaining('3 times') },
    })
    expect(model.requests).toHaveLength(3)
    expect(model.requests[2]?.messages.slice(2)).toMatchObject([
      { role: 'assistant', content: 'no JSON' },
      { role: 'user', content: expect.stringContaining('It is not JSON') },
      { role: 'assistant', content: 'no JSON' },
      { role: 'user' },
    ])
  })

  test('never enters the dialog; the session has it', async () => {
    const Look = doing(async (writer) => {
      const value = await writer.open('talk').receive('A fact, please.').respondAs(Fact)
      return { value, roles: writer.messages.map(({ role }) => role) }
    })
    const { session } = house({
      tactics: [Look],
      model: [says('no JSON'), saysJson({ year: 1 }), saysJson({ fact: 'bees', year: null })],
    })
    const report = await session('go')
    expect(report.ok && JSON.parse(report.result)).toEqual({
      value: { fact: 'bees' },
      roles: ['system', 'user', 'assistant'],
    })
    const [agentCall] = report.session.agentCalls
    expect(agentCall?.llmCalls).toHaveLength(3)
    expect(agentCall?.retries).toMatchObject([
      { kind: 'exception', step: 0, error: expect.stringContaining('It is not JSON') },
      { kind: 'exception', step: 0, error: expect.stringContaining('/fact') },
    ])
  })

  test('has its retries counted anew in each step', async () => {
    const { session } = house({
      tactics: [Ask],
      model: [says(''), callsTool('none'), says(''), says('fine')],
      global: { max_exception_retry: 1 },
    })
    expect(await session('go')).toMatchObject({ ok: true, result: 'fine' })
  })

  test.each([
    ['nothing', says('')],
    ['blanks', says(' \n ')],
    ['a refusal', says('', { message: { role: 'assistant', content: '', refusal: 'I would rather not.' } })],
  ])('may be %s', async (_case, reply) => {
    const { call, model } = house({ tactics: [Ask], model: [reply, says('fine')] })
    expect(await call('go')).toBe('fine')
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: 'user' })
  })

  test('tells when it was cut off', async () => {
    const cut = says('{"fact": "be', { finishReason: 'length' })
    const { call, model } = house({ tactics: [AskFact], model: [cut, saysJson({ fact: 'bees' })] })
    await call('go')
    expect(model.requests[1]?.messages.at(-1)?.content).toContain('cut off')
  })

  test("is answered with the prompt's own words", async () => {
    const prompt = definePrompt({ template: 'Be exact.', handlers: { exception: 'Nope ({error})' } })
    const { call, model } = house({
      tactics: [Ask],
      systemPrompts: { writer: prompt },
      model: [says(''), says('fine')],
    })
    await call('go')
    expect(model.requests[1]?.messages.at(-1)?.content).toBe('Nope (It was empty.)')
  })

  test('can hold braces: it is never read as a template', async () => {
    const parser = {
      parse(text: string) {
        if (text !== 'fine') throw new Error(`Not {error} but ${text}`)
        return text
      },
    }
    const prompt = definePrompt({ template: 'Be exact.', parser })
    const { call, model } = house({
      tactics: [Ask],
      systemPrompts: { writer: prompt },
      model: [says('{task} {{'), says('fine')],
    })
    await call('{name}')
    expect(model.requests[1]?.messages.at(-1)?.content).toContain('Not {error} but {task} {{')
    expect(model.requests[0]?.messages[1]?.content).toBe('{name}')
  })
})

describe('respondAs', () => {
  async function typed(schema: z.ZodType | z3.ZodTypeAny, script: Script) {
    const Typed = doing((writer) => writer.open('talk').receive('go').respondAs(schema))
    const { call, model } = house({ tactics: [Typed], model: script })
    return { value: JSON.parse(await call('go')) as unknown, model }
  }

  test('holds the model to the schema, strictly where that can be', async () => {
    const { model } = await typed(Fact, saysJson({ fact: 'bees', year: null }))
    expect(model.requests[0]?.format).toEqual({
      kind: 'json',
      name: 'reply',
      strict: true,
      schema: {
        type: 'object',
        properties: { fact: { type: 'string' }, year: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
        required: ['fact', 'year'],
        additionalProperties: false,
      },
      full: expect.objectContaining({ type: 'object', required: ['fact'] }),
    })
  })

  test('forgives a fence around the JSON', async () => {
    expect((await typed(Fact, says('```json\n{"fact":"bees"}\n```'))).value).toEqual({ fact: 'bees' })
  })

  test('takes values that are no objects, wrapped as asked or bare', async () => {
    expect((await typed(z.array(z.string()), saysJson({ value: ['a'] }))).value).toEqual(['a'])
    expect((await typed(z.array(z.string()), saysJson(['a']))).value).toEqual(['a'])
    expect((await typed(z.enum(['yes', 'no']), saysJson({ value: 'yes' }))).value).toBe('yes')
  })

  test('only hints at a record, and judges it all the same', async () => {
    const { value, model } = await typed(z.record(z.string(), z.number()), [
      saysJson({ bees: 'many' }),
      saysJson({ bees: 3 }),
    ])
    expect(value).toEqual({ bees: 3 })
    expect(model.requests[0]?.format).toMatchObject({ strict: false })
  })

  test('fills in defaults and applies transforms', async () => {
    const schema = z.object({ count: z.number().default(3), name: z.string().transform((name) => name.toUpperCase()) })
    expect((await typed(schema, saysJson({ name: 'bee', count: null }))).value).toEqual({ count: 3, name: 'BEE' })
  })

  test('tells the model when a transform throws', async () => {
    const schema = z.object({ link: z.string().transform((text) => new URL(text).host) })
    const { value } = await typed(schema, [saysJson({ link: 'none' }), saysJson({ link: 'https://bees.example' })])
    expect(value).toEqual({ link: 'bees.example' })
  })

  test('speaks zod 3', async () => {
    const schema = z3.object({ fact: z3.string(), year: z3.number().optional() })
    const { value, model } = await typed(schema, [saysJson({ fact: 1 }), saysJson({ fact: 'bees', year: null })])
    expect(value).toEqual({ fact: 'bees' })
    expect(model.requests[0]?.format).toMatchObject({ strict: true, schema: { required: ['fact', 'year'] } })
  })

  test('survives JSON that nests without end', async () => {
    const { value } = await typed(Fact, [says('['.repeat(100_000) + ']'.repeat(100_000)), saysJson({ fact: 'bees' })])
    expect(value).toEqual({ fact: 'bees' })
  })
})
