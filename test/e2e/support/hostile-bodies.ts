import fc from 'fast-check'

type JsonObject = Readonly<Record<string, unknown>>
type Content = Readonly<Record<string, { readonly schema: JsonObject; readonly examples?: JsonObject }>>

/** Of a body that says nothing and is merely large. */
export const bytesOfLargest = 150_000

/** Texts that have been trouble for somebody: too long, no characters, lone surrogates, what looks like code or a template. */
export const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    'a\udc00b',
    '\u202e',
    '\r\n\r\n',
    '{task}',
    '{{task}}',
    '<script>',
    "' or 1=1 --",
    '__proto__',
  ),
  fc.constantFrom(
    'x'.repeat(100_000),
    '<think>'.repeat(2_000),
    '{'.repeat(5_000),
    '\u0001'.repeat(3_000),
    '🙈'.repeat(2_000),
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
)

/** JSON texts of single values. Some of them no JSON.stringify would write. */
const hostileJson = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    '0',
    '-0',
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993',
    '0.1e1',
    '[]',
    '{}',
    '""',
  ),
  fc.constantFrom(
    '"\\ud800"',
    '"\\u0000"',
    '{"__proto__": {"admin": true}}',
    '{"constructor": {"prototype": {}}}',
    '{"a":1,"a":2}',
  ),
  fc.integer({ min: 1, max: 4_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 4_000 }).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
  fc.integer({ min: 1, max: 3_000 }).map((count) => `[${Array(count).fill('0').join(',')}]`),
  hostileText.map((text) => JSON.stringify(text)),
  fc.json({ maxDepth: 3 }),
)

/** A body that begins as one that fits, of which some members are something else. */
export function hostileBody(content: Content): fc.Arbitrary<Buffer> {
  const media = Object.values(content)
  const schema = media[0]?.schema ?? {}
  const names = Object.keys((schema['properties'] ?? {}) as JsonObject)
  const examples = media.flatMap(({ examples: given = {} }) => Object.values(given)).map(exampleValue)
  const bases = [{}, { task: 'a' }, { tasks: ['a', 'b'] }, ...examples].filter(isObject)
  const name = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('task', ...names) },
    fc.constantFrom('__proto__', 'constructor', 'toString', 'nope', ''),
  )
  const envelope = fc
    .tuple(fc.constantFrom(...bases), fc.array(fc.tuple(name, hostileJson), { maxLength: 2 }))
    .map(([base, members]) => {
      const kept = Object.entries(base).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
      return `{${[...kept, ...members.map(([key, json]) => `${JSON.stringify(key)}:${json}`)].join(',')}}`
    })
  const sound = fc.oneof({ weight: 5, arbitrary: envelope }, hostileJson).map((text) => Buffer.from(text))
  const broken = fc.oneof(
    fc.tuple(sound, fc.nat(200)).map(([bytes, end]) => bytes.subarray(0, end)),
    fc.tuple(sound, fc.nat(60), fc.nat(255)).map(([bytes, at, byte]) => {
      const changed = Buffer.from(bytes)
      if (changed.length > 0) changed[at % changed.length] = byte
      return changed
    }),
    fc
      .constantFrom(
        '\ufeff{}',
        '{"task": "a"',
        'task=a',
        '<task/>',
        '{"task": NaN}',
        "{'task': 1}",
        '{"task":"a"}{"task":"b"}',
      )
      .map(Buffer.from),
    fc.constant(Buffer.alloc(bytesOfLargest, 'a')),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
  return fc.oneof({ weight: 4, arbitrary: sound }, broken)
}

function exampleValue(example: unknown): unknown {
  return isObject(example) ? example['value'] : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
