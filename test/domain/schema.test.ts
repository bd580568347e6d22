import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { type Schema, toJsonSchema, validate } from '../../src/domain/schema.ts'

describe('validating', () => {
  test('gives the value with its defaults and transforms', async () => {
    const schema = z.object({ count: z.number().default(3), name: z.string().trim() })
    expect(await validate(schema, { name: ' bee ' })).toEqual({ ok: true, value: { count: 3, name: 'bee' } })
  })

  test('tells each place that does not fit by a JSON Pointer, behind a prefix', async () => {
    const schema = z.object({ 'a/b': z.array(z.object({ x: z.number() })) })
    expect(await validate(schema, { 'a/b': [{ x: 1 }, {}] }, '/task')).toMatchObject({
      ok: false,
      issues: [{ pointer: '/task/a~1b/1/x' }],
    })
  })

  test('tells a bounded number of issues', async () => {
    const validated = await validate(z.array(z.number()), Array(1000).fill('x'))
    expect(validated.ok || validated.issues.length).toBe(20)
  })

  test('takes an exception of the schema for a value that does not fit', async () => {
    for (const schema of [
      z.string().transform(() => JSON.parse('{')),
      z.string().refine(async () => Promise.reject(new Error('x'))),
    ]) {
      expect(await validate(schema, 'x')).toMatchObject({ ok: false, issues: [{ pointer: '' }] })
    }
  })

  test('waits for a check that takes its time', async () => {
    expect(
      await validate(
        z.string().refine(async (text) => text === 'x'),
        'x',
      ),
    ).toEqual({ ok: true, value: 'x' })
  })
})

describe('describing', () => {
  test('tells the input from the output', () => {
    const schema = z.object({ count: z.number().default(3) })
    expect(toJsonSchema(schema, 'input')['required']).toBeUndefined()
    expect(toJsonSchema(schema, 'output')['required']).toEqual(['count'])
  })

  test('reads zod 4 and zod 3 alike: neither is taken for "anything"', () => {
    for (const schema of [z.object({ name: z.string() }), z3.object({ name: z3.string() })]) {
      expect(toJsonSchema(schema, 'input')).toMatchObject({
        type: 'object',
        properties: { name: { type: 'string' } },
        required: ['name'],
      })
    }
  })

  test('calls what has no counterpart "anything" rather than refusing it', () => {
    for (const schema of [z.date(), z.bigint(), z.custom<string>(() => true), z.map(z.string(), z.string())]) {
      expect(toJsonSchema(schema, 'input')).not.toHaveProperty('type')
    }
  })

  test('has no schema but the judge for an unknown library', async () => {
    const schema: Schema<string> = {
      '~standard': {
        version: 1,
        vendor: 'bees',
        validate: (value) => (value === 'bee' ? { value } : { issues: [{ message: 'no bee' }] }),
      },
    }
    expect(toJsonSchema(schema, 'input')).toEqual({})
    expect(await validate(schema, 'ant')).toEqual({ ok: false, issues: [{ pointer: '', message: 'no bee' }] })
  })

  test('calls "anything" what another library refuses to describe', () => {
    const refuse = () => {
      throw new Error('A morph has no JSON Schema.')
    }
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'bees',
        validate: (value: unknown) => ({ value }),
        jsonSchema: { input: refuse, output: () => ({ type: 'string' }) },
      },
    }
    expect(toJsonSchema(schema, 'input')).toEqual({})
    expect(toJsonSchema(schema, 'output')).toEqual({ type: 'string' })
  })

  test('has the root itself at the root, also of a schema with an id that refers to itself', () => {
    const node = z.object({
      get below() {
        return z.array(node)
      },
    })
    expect(toJsonSchema(node.meta({ id: 'Node' }), 'input')).toMatchObject({ type: 'object', $defs: { Node: {} } })
  })
})
