import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLllmError } from '../../src/domain/errors.ts'
import { createBinder } from '../../src/engine/bind.ts'
import { createInvokerPool } from '../../src/invokers/create-invoker-pool.ts'
import { parseManifest } from '../../src/packages/manifest.ts'
import { systemWorld } from '../../src/system-world.ts'
import { loadFolder, manifest, packageFolder } from './package-folder.ts'

const bindParts = {
  invokers: createInvokerPool(
    {
      apiKey: undefined,
      baseUrl: undefined,
      keyOf: () => undefined,
      limits: { concurrency: 1, requestsPerMinute: undefined, tokensPerMinute: undefined },
    },
    systemWorld.clock,
  ),
  toolSource: { servers: [], tools: async () => [], close: async () => {} },
}

/** What stops the boot of a project, with the project's folder taken out. */
async function refusalOf(folder: string): Promise<string> {
  try {
    createBinder((await loadFolder(folder)).packages, bindParts).bindAll()
  } catch (error) {
    if (!isLllmError(error)) throw error
    return error.message.replaceAll(`${folder}/`, '')
  }
  return ''
}

const refusalOfFiles = async (files: Readonly<Record<string, string>>) =>
  refusalOf(await packageFolder({ 'lllm.toml': manifest(), ...files }))
const refusalOfConfig = (text: string) => refusalOfFiles({ 'configs/x.yaml': text })

/** Each line ten times the line before it. */
const billion = Array.from({ length: 10 }, (_, level) => {
  const items = Array(10).fill(level === 0 ? 'lol' : `*a${level - 1}`)
  return `a${level}: &a${level} [${items.join(', ')}]`
}).join('\n')

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)

describe('a hostile config stops the boot with its name and the place', () => {
  test.each([
    ['aliases by the billion', billion, /^configs\/x\.yaml: It cannot be read as YAML: Excessive alias count/],
    ['an alias of itself', 'a: &a [*a]', /^configs\/x\.yaml/],
    ['__proto__', 'global: { __proto__: { polluted: 1 } }', 'configs/x.yaml:1:11: The key "__proto__" is not allowed'],
    ['constructor', 'a: { constructor: { prototype: 1 } }', 'configs/x.yaml:1:6: The key "constructor" is not allowed'],
    ['a merge key', 'base: &b { a: 1 }\n<<: *b\nagent_configs: 1', 'configs/x.yaml: '],
    ['brackets without end', '['.repeat(100_000), /^configs\/x\.yaml:1:\d+: it nests too deeply$/],
    ['an alias that holds itself many times', 'a: &a [*a, *a, *a, *a]', /^configs\/x\.yaml/],
    ['nesting beyond the stack', `a: ${nested('[', ']', 50_000)}`, /^configs\/x\.yaml/],
    ['nesting beyond reason', `a: ${nested('{b: ', '}', 40)}`, /^configs\/x\.yaml/],
    ['the same key twice', 'global: {}\nglobal: {}', 'configs/x.yaml:2:1: The key "global" is there twice.'],
    ['a tag that asks for code', 'a: !!js/function "x"', /^configs\/x\.yaml:1:4: /],
    ['a list', '- 1', 'configs/x.yaml: It must be a mapping of keys to values.'],
    ['two documents', 'a: 1\n---\nb: 2', /^configs\/x\.yaml:\d+:\d+: /],
    ['a tab for an indent', 'a:\n\tb: 1', /^configs\/x\.yaml:2:1: /],
    ['no text', 'a: \0', /^configs\/x\.yaml/],
  ])('%s', async (_case, text, refusal) => {
    const told = await refusalOfConfig(text)
    expect(told).toMatch(refusal)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('a chain of bases that comes back, also by way of another package', async () => {
    const cycle = { 'configs/a.yaml': 'base: b', 'configs/b.yaml': 'base: c', 'configs/c.yaml': 'base: a' }
    expect(await refusalOfFiles(cycle)).toBe('configs/c.yaml: The chain of bases is a cycle: a → b → c → a.')
    const across = {
      'lllm.toml': manifest('root', '[dependencies]\npackages = ["./lib as l"]'),
      'configs/a.yaml': 'base: "l:b"',
      'lib/lllm.toml': manifest('lib'),
      'lib/configs/b.yaml': 'base: "root:a"',
    }
    expect(await refusalOfFiles(across)).toBe('lib/configs/b.yaml: The chain of bases is a cycle: a → lib:b → a.')
  })

  test('50 MB, which are not read', async () => {
    const folder = await packageFolder({ 'lllm.toml': manifest(), 'configs/x.yaml': '' })
    await appendFile(join(folder, 'configs/x.yaml'), Buffer.alloc(50_000_000, 'a: 1\n'))
    const before = process.memoryUsage().rss
    expect(await refusalOf(folder)).toBe('configs/x.yaml: It has 50000000 bytes; at most 262144 are read.')
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000)
  })

  test('as many keys as a file can hold are read, not puzzled over', async () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')
    expect(await refusalOfConfig(keys)).toMatch('configs/x.yaml: /k0 is not known.')
  })
})

describe('hostile front matter stops the boot with its name and the place', () => {
  test.each([
    ['aliases by the billion', billion, /^prompts\/p\.md: It cannot be read as YAML: Excessive alias count/],
    ['__proto__', 'parser: { __proto__: 1 }', 'prompts/p.md:2:11: The key "__proto__" is not allowed'],
    ['nesting beyond the stack', '['.repeat(60_000), /^prompts\/p\.md:2:\d+: it nests too deeply$/],
    [
      'more than it may have',
      `description: ${'x'.repeat(70_000)}`,
      'prompts/p.md: The front matter is longer than 65536.',
    ],
    ['wrong types', 'parser: 1\nhandlers: []\nmcp_servers: { a: 1 }', /\/parser: .*\/handlers: .*\/mcp_servers: /],
    ['a key that is not known', 'parsr: {}', 'prompts/p.md: /parsr is not known. Did you mean "parser"?'],
  ])('%s', async (_case, head, refusal) => {
    expect(await refusalOfFiles({ 'prompts/p.md': `---\n${head}\n---\nHello.` })).toMatch(refusal)
  })
})

describe('a hostile manifest stops the boot with its name, line and column', () => {
  test.each([
    ['__proto__', '[package]\nname = "a"\nversion = "1"\n[__proto__]\nx = 1', /^lllm\.toml:4:\d+: /],
    ['nesting beyond the stack', `a = ${nested('[', ']', 20_000)}`, /^lllm\.toml:1:\d+: /],
    ['tables in tables without end', `a = ${'{ b = '.repeat(10_000)}`, /^lllm\.toml:1:\d+: /],
    ['a table twice', manifest('a', '[package]\nname = "b"'), /^lllm\.toml:4:\d+: /],
    ['a key twice', '[package]\nname = "a"\nname = "b"', /^lllm\.toml:3:\d+: /],
    ['a text without end', '[package]\nname = "a', /^lllm\.toml:2:\d+: /],
    ['a control character', '[package]\nname = "a\u0001"', /^lllm\.toml:2:\d+: /],
    ['a key of no section', manifest('a', 'paths = ["x"]'), 'lllm.toml:4:1: [package]: "paths" is not known.'],
    ['a section of another shape', manifest('a', '[assets]\nfiles = ["x"]'), /^lllm\.toml:\d:1: \[assets\]/],
    [
      'a section with a strange name',
      manifest('a', '["../x"]\npaths = []'),
      /^lllm\.toml:4:1: \[\.\.\/x\]: a section's name/,
    ],
    [
      'a misspelt section',
      manifest('a', '[tactic]\npaths = []'),
      'lllm.toml:4:1: The section [tactic] looks like [tactics]',
    ],
    [
      'a dependency that is a URL',
      manifest('a', '[dependencies]\npackages = ["./b", "https://host/x.zip"]'),
      'lllm.toml:5:20: [dependencies] packages 1: "https://host/x.zip" is neither a path such as',
    ],
    [
      'an alias that is none',
      manifest('a', '[dependencies]\npackages = [\n  "./b",\n  "./c as ../d",\n]'),
      'lllm.toml:7:3: [dependencies] packages 1: the alias "../d" does not fit',
    ],
    [
      'a dependency at an absolute path',
      manifest('a', '[dependencies]\npackages = ["/srv/b"]'),
      'lllm.toml:5:13: [dependencies] packages 0: "/srv/b" is absolute: a path is relative to the folder of the manifest.',
    ],
    // A pattern would take hours to find the place of a mistake behind these.
    [
      'blanks that look like a table',
      `[a]\npaths = [\n[${' '.repeat(60_000)}\n"a"]]\n${manifest('A')}`,
      /^lllm\.toml:6:1: \[package\] name/,
    ],
    [
      'quotes that look like a text',
      manifest('a', `[prompts]\npaths = [ # "${'\\"'.repeat(30_000)}\n${'1,'.repeat(64)}]`),
      /^lllm\.toml:6:1: \[prompts\] paths 0/,
    ],
    [
      'a prefix that climbs',
      manifest('a', '[prompts]\npaths = ["p under ../x"]'),
      /^lllm\.toml:5:10: .*"under" is a prefix/,
    ],
    [
      'a prefix of tactics',
      manifest('a', '[tactics]\npaths = ["t under x"]'),
      /^lllm\.toml:\d:\d+: .*tactics take no "under"/,
    ],
  ])('%s', async (_case, text, refusal) => {
    expect(await refusalOfFiles({ 'lllm.toml': text })).toMatch(refusal)
  })

  test('50 MB, which are not read', async () => {
    const folder = await packageFolder({ 'lllm.toml': '' })
    await appendFile(join(folder, 'lllm.toml'), Buffer.alloc(50_000_000, '# a\n'))
    expect(await refusalOf(folder)).toBe('lllm.toml: It has 50000000 bytes; at most 65536 are read.')
  })

  test('anything at all: it is read, or refused with a place', () => {
    const value = fc.oneof(
      fc.constantFrom(
        '"x"',
        '1',
        'true',
        '[]',
        '{}',
        '["a", 1]',
        '[[["x"]]]',
        '1979-05-27',
        '{ paths = [1] }',
        '"./a as b"',
      ),
      fc.string().map((text) => JSON.stringify(text)),
    )
    const key = fc.constantFrom(
      'package',
      'prompts',
      'configs',
      'tactics',
      'dependencies',
      'assets',
      'name',
      'version',
      'paths',
      'packages',
    )
    const line = fc.oneof(
      fc.tuple(key, value).map(([name, given]) => `${name} = ${given}`),
      key.map((name) => `[${name}]`),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        try {
          expect(parseManifest(lines.join('\n'), '/demo/lllm.toml').name).toMatch(/./)
        } catch (error) {
          if (!isLllmError(error)) throw error
          expect(error.code).toBe('invalid-manifest')
          expect(error.message).toMatch(/^\/demo\/lllm\.toml:\d+:\d+: /)
        }
      }),
    )
  })
})

test('a config with wrong types everywhere is told with its name, and with the place of each', async () => {
  const wrong = ['1', 'true', '[]', '[1]', '{}', '{ a: 1 }', '""', '~', '-1', '.nan']
  const keys = ['base', 'tactic_type', 'global', 'agent_configs', 'invokers', 'sub_tactics', 'limits', 'description']
  for (const key of keys) {
    for (const value of wrong) {
      const told = await refusalOfConfig(`${key}: ${value}`)
      if (told !== '') expect(told, `${key}: ${value}`).toMatch(/^configs\/x\.yaml: \//)
    }
  }
})
