import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { z as z3 } from 'zod/v3'
import { type Schema, toJsonSchema } from '../../src/domain/schema.ts'
import { toStrictSchema } from '../../src/domain/strict-schema.ts'

const strictOf = (schema: Schema) => toStrictSchema(toJsonSchema(schema, 'input'))

describe('a schema in strict mode', () => {
  test('has every property required, optional ones nullable, and no others', () => {
    expect(strictOf(z.object({ name: z.string(), age: z.number().optional() })).schema).toEqual({
      type: 'object',
      properties: { name: { type: 'string' }, age: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
      required: ['name', 'age'],
      additionalProperties: false,
    })
  })

  test('has no keyword, format or pattern that the provider would refuse', () => {
    const schema = z.object({
      link: z
        .url()
        .min(3)
        .max(9)
        .meta({ title: 'Link', examples: ['x'] }),
      mail: z.email(),
      code: z.string().regex(/^(?=a)b$/),
      word: z.string().regex(/^[a-z]+$/),
      count: z.int().min(1).max(5).default(3).describe('How many'),
    })
    expect(strictOf(schema).schema['properties']).toEqual({
      link: { type: 'string' },
      mail: { type: 'string', format: 'email' },
      code: { type: 'string' },
      word: { type: 'string', pattern: '^[a-z]+$' },
      count: { anyOf: [{ type: 'integer', minimum: 1, maximum: 5, description: 'How many' }, { type: 'null' }] },
    })
  })

  test('says oneOf as anyOf', () => {
    const union = z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })])
    const { schema, strict } = strictOf(z.object({ union }))
    expect(strict).toBe(true)
    expect(JSON.stringify(schema)).not.toContain('oneOf')
  })

  test.each<[string, Schema]>([
    ['a record', z.object({ counts: z.record(z.string(), z.number()) })],
    ['a loose object', z.looseObject({ name: z.string() })],
    ['anything', z.object({ any: z.unknown() })],
    ['a tuple', z.object({ pair: z.tuple([z.string(), z.number()]) })],
    ['an intersection', z.object({ both: z.intersection(z.string(), z.literal('a')) })],
    ['a type of zod 3 without a shape', z3.object({ any: z3.any() })],
  ])('cannot hold %s: then it is a hint', (_case, schema) => {
    expect(strictOf(schema).strict).toBe(false)
  })

  test('with a type that may be null as well is rewritten all the same', () => {
    const { schema } = toStrictSchema({
      type: 'object',
      properties: { inner: { type: ['object', 'null'], properties: { name: { type: 'string' } } } },
    })
    expect(schema['properties']).toMatchObject({ inner: { required: ['name'], additionalProperties: false } })
  })
})

describe('a root that is no object', () => {
  test('is wrapped, and unwrapped again', () => {
    const { schema, restore } = strictOf(z.array(z.string()))
    expect(schema).toMatchObject({ type: 'object', properties: { value: { type: 'array' } }, required: ['value'] })
    expect(restore({ value: ['a'] })).toEqual(['a'])
  })

  test('that was not wrapped by the model is taken as it is', () => {
    expect(strictOf(z.array(z.string())).restore(['a'])).toEqual(['a'])
    const union = z.union([z.object({ value: z.string(), more: z.string() }), z.string()])
    expect(strictOf(union).restore({ value: 'a', more: 'b' })).toEqual({ value: 'a', more: 'b' })
  })

  test('that refers to itself still does', () => {
    const tree: z.ZodType = z.lazy(() => z.union([z.string(), z.array(tree)]))
    const { schema } = strictOf(tree)
    expect(JSON.stringify(schema)).not.toContain('"$ref":"#"')
  })
})

describe('restoring', () => {
  const restored = (schema: Schema, value: unknown) => strictOf(schema).restore(value)

  test('takes out the nulls that stand for "left out", and no others', () => {
    const schema = z.object({ left: z.string().optional(), kept: z.string().nullable(), both: z.string().nullish() })
    expect(restored(schema, { left: null, kept: null, both: null })).toEqual({ kept: null, both: null })
  })

  test('goes into arrays, unions and optional objects', () => {
    const item = z.object({ note: z.string().optional() })
    const schema = z.object({ list: z.array(item), maybe: item.optional(), either: z.union([z.string(), item]) })
    const value = { list: [{ note: null }], maybe: { note: null }, either: { note: null } }
    expect(restored(schema, value)).toEqual({ list: [{}], maybe: {}, either: {} })
  })

  test('tells the alternatives of a union apart', () => {
    const schema = z.object({
      event: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), data: z.object({ left: z.string().optional() }) }),
        z.object({ kind: z.literal('b'), data: z.object({ right: z.number().optional() }) }),
        z.object({ kind: z.literal('c'), data: z.string().optional() }),
      ]),
    })
    for (const event of [
      { kind: 'a', data: { left: null } },
      { kind: 'b', data: { right: null } },
    ]) {
      expect(schema.safeParse(restored(schema, { event })).success).toBe(true)
    }
    expect(restored(schema, { event: { kind: 'c', data: null } })).toEqual({ event: { kind: 'c' } })
  })

  test('follows recursion, through the root and through definitions', () => {
    const node = z.object({
      name: z.string(),
      note: z.string().optional(),
      get below() {
        return z.array(node).optional()
      },
    })
    const value = { name: 'a', note: null, below: [{ name: 'b', note: null, below: null }] }
    const expected = { name: 'a', below: [{ name: 'b' }] }
    expect(restored(node, value)).toEqual(expected)
    expect(restored(z.object({ tree: node }), { tree: value })).toEqual({ tree: expected })
    expect(restored(z.array(node), { value: [value] })).toEqual([expected])
    expect(restored(node.meta({ id: 'Node' }), value)).toEqual(expected)
  })

  test('survives whatever a model sends instead', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const schema = z.object({ list: z.array(z.object({ note: z.string().optional() })) })
        expect(() => restored(schema, value)).not.toThrow()
      }),
    )
  })

  test('gives back any value of any object schema whose optional parts were sent as null', () => {
    fc.assert(
      fc.property(sample, ({ schema, value, sent }) => {
        const strict = strictOf(z.object({ root: schema }))
        expect(strict.strict).toBe(true)
        expect(strict.restore({ root: sent })).toEqual({ root: value })
      }),
    )
  })
})

/** A schema, a value that fits it, and the value as a strict model would send it. */
interface Sample {
  readonly schema: z.ZodType
  readonly value: unknown
  readonly sent: unknown
}

const plain = (schema: z.ZodType, values: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> =>
  values.map((value) => ({ schema, value, sent: value }))

const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    plain(z.string(), fc.string()),
    plain(z.number(), fc.integer()),
    plain(z.boolean(), fc.boolean()),
    plain(z.string().nullable(), fc.option(fc.string())),
    fc.array(tie('sample'), { maxLength: 1 }).map((inner) => ({
      schema: z.array(inner[0]?.schema ?? z.string()),
      value: inner.map(({ value }) => value),
      sent: inner.map(({ sent }) => sent),
    })),
    fc
      .uniqueArray(
        fc.record({
          name: fc.stringMatching(/^[a-z_]{1,8}$/),
          inner: tie('sample'),
          presence: fc.constantFrom('required', 'given', 'left out'),
        }),
        { maxLength: 4, selector: ({ name }) => name },
      )
      .map((properties) => ({
        schema: z.object(
          Object.fromEntries(
            properties.map(({ name, inner, presence }) => [
              name,
              presence === 'required' ? inner.schema : inner.schema.optional(),
            ]),
          ),
        ),
        value: Object.fromEntries(properties.filter(isThere).map(({ name, inner }) => [name, inner.value])),
        sent: Object.fromEntries(
          properties
            .filter((property) => isThere(property) || !property.inner.schema.safeParse(null).success)
            .map((property) => [property.name, isThere(property) ? property.inner.sent : null]),
        ),
      })),
  ),
}))

function isThere({ presence }: { readonly presence: string }): boolean {
  return presence !== 'left out'
}

test('a schema that refers to itself in more ways than could be followed is restored all the same', () => {
  const forked = { anyOf: [{ $ref: '#/$defs/forked' }, { $ref: '#/$defs/forked' }, { type: 'string' }] }
  const schema = { type: 'object', $defs: { forked }, properties: { a: { $ref: '#/$defs/forked' } }, required: ['a'] }
  expect(toStrictSchema(schema).restore({ a: { b: { c: 'deep' } } })).toEqual({ a: { b: { c: 'deep' } } })
})
