import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/domain/config.ts'
import { makePackage } from '../../src/domain/package.ts'
import { loadFolder, manifest, packageFolder } from './package-folder.ts'

async function load(files: Readonly<Record<string, string>>) {
  const folder = await packageFolder({ 'lllm.toml': manifest(), ...files })
  return { folder, configs: loadFolder(folder).then((loaded) => loaded.package.configs) }
}
const loadOne = async (text: string) => (await (await load({ 'configs/x.yaml': text })).configs).get('x')?.value

describe('configs', () => {
  test('are named by their path, and are read in order of their names', async () => {
    const { folder, configs } = await load({
      'configs/review/pro.yml': 'base: default',
      'configs/review/default.yaml': 'description: D.',
    })
    expect([...(await configs).values()]).toEqual([
      { name: 'review/default', file: join(folder, 'configs/review/default.yaml'), value: { description: 'D.' } },
      { name: 'review/pro', file: join(folder, 'configs/review/pro.yml'), value: { base: 'default' } },
    ])
  })

  test('may be empty', async () => {
    expect(await loadOne('')).toEqual({})
    expect(await loadOne('# nothing yet\n')).toEqual({})
  })

  test('may use anchors, and read values as YAML 1.2 does', async () => {
    const text = 'a: &args { seed: 1, "no": no }\nb: *args\nc: 010\nd: 2020-01-01\n<<: x\n'
    const args = { seed: 1, no: 'no' }
    expect(await loadOne(text)).toEqual({ a: args, b: args, c: 10, d: '2020-01-01', '<<': 'x' })
  })

  test('of one name are told apart by nobody, so they are refused', async () => {
    const { folder, configs } = await load({ 'configs/x.yaml': '', 'configs/x.yml': '' })
    const [first, second] = [join(folder, 'configs/x.yaml'), join(folder, 'configs/x.yml')]
    await expect(configs).rejects.toThrow(`${second}: ${first} is the config "x" already`)
  })
})

describe('a mistake in a config', () => {
  test.each([
    ['syntax', 'a: 1\nb: }\n', ':2:4: '],
    ['a key that is there twice', 'a: 1\nglobal:\n  seed: 1\n  seed: 2\n', ':4:3: The key "seed" is there twice.'],
    ['a key that is a mapping', '? { a: 1 }\n: 2\n', ':1:3: '],
    ['a tag, which is refused rather than ignored', 'a: !exec rm\n', ':1:4: '],
    ['a tag of YAML 1.1', 'a: !!binary aGk=\n', ':1:4: '],
    ['an alias without its anchor', 'a: *nowhere\n', ': It cannot be read as YAML: Unresolved alias'],
    ['several documents', 'a: 1\n---\nb: 2\n', ':2:1: '],
    ['a list', '- a\n', ': It must be a mapping of keys to values.'],
    ['a text', 'hello\n', ': It must be a mapping of keys to values.'],
    [
      'aliases that multiply',
      `a: &a [${'x,'.repeat(9)}]\nb: &b [${'*a,'.repeat(9)}]\nc: [${'*b,'.repeat(9)}*b,*b,*b]`,
      ': It cannot be read as YAML',
    ],
    ['bottomless nesting', '['.repeat(100_000), ':1:'],
  ])('%s is told with its file and its place', async (_name, text, message) => {
    const { folder, configs } = await load({ 'configs/x.yaml': text })
    await expect(configs).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining(`${join(folder, 'configs/x.yaml')}${message}`),
    })
  })

  test('its size is judged before it is parsed', async () => {
    await expect(loadOne(`a: ${'x'.repeat(256 * 1024)}`)).rejects.toThrow(
      'It has 262147 bytes; at most 262144 are read.',
    )
  })

  test('a key that reaches a prototype is refused, in a file and in a value that was given', async () => {
    const text = 'global: { __proto__: { polluted: 1 } }'
    await expect(loadOne(text)).rejects.toThrow('x.yaml:1:11: The key "__proto__" is not allowed')
    const value = JSON.parse('{ "global": { "__proto__": { "polluted": 1 } } }') as Record<string, unknown>
    const home = makePackage({ name: 'demo', version: '1.0.0' })
    expect(() => resolveConfig({ name: 'x', file: 'given', value }, home)).toThrow('/global/__proto__ is not allowed')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
