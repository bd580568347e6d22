import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { toJsonSchema } from '../../src/domain/schema.ts'
import { toStrictSchema } from '../../src/domain/strict-schema.ts'
import { fakeJson } from '../../src/invokers/fake-json.ts'

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get children() {
    return z.array(tree)
  },
})

const schemas: Readonly<Record<string, z.ZodType>> = {
  'texts of a length': z.object({ short: z.string().max(4), long: z.string().min(300), exact: z.string().length(7) }),
  'texts of a pattern': z.object({ code: z.string().regex(/^[A-Z]{3}-\d{4}$/), prefix: z.string().startsWith('abc') }),
  'texts of a format': z.object({
    email: z.email(),
    url: z.url(),
    uuid: z.uuid(),
    when: z.iso.datetime(),
    day: z.iso.date(),
    time: z.iso.time(),
    address: z.ipv4(),
    lasts: z.iso.duration(),
  }),
  numbers: z.object({
    age: z.int().min(0).max(130),
    share: z.number().gt(0).lt(1),
    half: z.number().multipleOf(0.5),
    debt: z.number().max(-1000),
    many: z.int().min(5000),
    any: z.number(),
  }),
  choices: z.object({ verdict: z.enum(['approve', 'reject']), kind: z.literal('review'), yes: z.boolean() }),
  lists: z.object({
    few: z.array(z.string()).min(2).max(4),
    many: z.array(z.int()).min(60),
    none: z.array(z.string()).max(0),
    pair: z.tuple([z.string(), z.number()]),
  }),
  'what may be missing': z.object({
    note: z.string().optional(),
    parent: z.string().nullable(),
    size: z.int().default(3),
  }),
  unions: z.union([z.string(), z.object({ kind: z.literal('a'), value: z.number() })]),
  'tagged unions': z.discriminatedUnion('type', [
    z.object({ type: z.literal('a'), left: z.string() }),
    z.object({ type: z.literal('b'), right: z.number() }),
  ]),
  intersections: z.intersection(z.object({ left: z.string() }), z.object({ right: z.number() })),
  records: z.record(z.string(), z.number()),
  'trees of themselves': tree,
  'a bare text': z.string(),
  anything: z.unknown(),
  'names that are no names': z.object({ constructor: z.string(), 'with space': z.string(), '': z.int() }),
}

describe('fake JSON', () => {
  test.each(Object.entries(schemas))('fits %s', (_, schema) => {
    const described = toJsonSchema(schema, 'input')
    for (let seed = 0; seed < 25; seed++) {
      expect(schema.safeParse(JSON.parse(fakeJson(described, seed))).error).toBeUndefined()
    }
  })

  test.each([
    'choices',
    'numbers',
    'lists',
    'what may be missing',
    'unions',
    'tagged unions',
    'trees of themselves',
    'a bare text',
  ])('fits %s in the form for strict providers', (name) => {
    const schema = schemas[name] ?? z.never()
    const strict = toStrictSchema(toJsonSchema(schema, 'input'))
    for (let seed = 0; seed < 25; seed++) {
      expect(schema.safeParse(strict.restore(JSON.parse(fakeJson(strict.schema, seed)))).error).toBeUndefined()
    }
  })

  test('is readable', () => {
    const schema = toJsonSchema(z.object({ title: z.string(), score: z.number(), tags: z.array(z.string()) }), 'input')
    const { title, score, tags } = JSON.parse(fakeJson(schema, 1))
    expect(title).toBe('simulated title')
    expect(score).toBeGreaterThanOrEqual(1)
    expect(score).toBeLessThanOrEqual(101)
    expect(tags[0]).toBe('simulated tags')
  })

  test.each(Object.entries(schemas))('is the same for the same seed: %s', (_, schema) => {
    const described = toJsonSchema(schema, 'input')
    expect(fakeJson(described, 99)).toBe(fakeJson(described, 99))
  })

  test('stays small, however much a schema asks for', () => {
    const greedy = {
      type: 'object',
      properties: {
        text: { type: 'string', minLength: 1e9 },
        list: { type: 'array', minItems: 1e9, items: { type: 'array', minItems: 1e9, items: { type: 'boolean' } } },
      },
      required: ['text', 'list'],
    }
    expect(fakeJson(greedy, 1).length).toBeLessThan(200_000)
  })

  test.each([
    ['cannot be satisfied', { allOf: [{ type: 'string' }, { type: 'number' }] }],
    ['refers to what is not there', { $ref: 'https://example.com/schema.json' }],
    ['refers to itself for ever', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a' } } }],
    ['is of no known type', { type: 'complex' }],
    ['has a pattern that is none', { type: 'string', pattern: '([' }],
    ['is empty', {}],
  ])('is JSON even for a schema that %s', (_, schema) => {
    expect(() => JSON.parse(fakeJson(schema, 1))).not.toThrow()
  })
})
