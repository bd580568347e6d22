import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadFolder, manifest, packageFolder, tactic } from './package-folder.ts'

async function loadTactics(files: Readonly<Record<string, string>>) {
  const folder = await packageFolder({ 'lllm.toml': manifest(), ...files })
  const loaded = await loadFolder(folder)
  return loaded.package.tactics.map(({ tactic: { spec }, file }) => [spec.name, file.slice(folder.length + 1)])
}

describe('a file in tactics/', () => {
  test('gives its tactic, by default or by name, in order of the paths of files', async () => {
    const named = tactic('bees').replace('default class', 'class Bees')
    expect(await loadTactics({ 'tactics/deep/b.ts': named, 'tactics/a.mjs': tactic('ants') })).toEqual([
      ['ants', 'tactics/a.mjs'],
      ['bees', 'tactics/deep/b.ts'],
    ])
  })

  test('may have several tactics', async () => {
    const two = `import { Tactic } from 'lllm'
export class One extends Tactic({ name: 'one' }) { async call(task) { return task } }
export class Two extends One.extend({ name: 'two' }) {}
export const limit = 3
`
    expect(await loadTactics({ 'tactics/both.mjs': two })).toEqual([
      ['one', 'tactics/both.mjs'],
      ['two', 'tactics/both.mjs'],
    ])
  })

  test('is passed over when it is shared code, a test, a declaration, hidden, or no module', async () => {
    const broken = 'this is no JavaScript'
    const files = ['_base.ts', 'a.test.ts', 'a.test-d.ts', 'a.d.ts', '.a.ts', 'README.md', 'node_modules/x/index.js']
    const passedOver = Object.fromEntries(files.map((path) => [`tactics/${path}`, broken]))
    expect(await loadTactics(passedOver)).toEqual([])
  })

  test('may pass on the tactic of another file, whose tactic it stays', async () => {
    const passedOn = "export { default as Ants } from './ants.mjs'\n"
    expect(await loadTactics({ 'tactics/ants.mjs': tactic('ants'), 'tactics/zoo.mjs': passedOn })).toEqual([
      ['ants', 'tactics/ants.mjs'],
    ])
  })
})

describe('the start is stopped, with the file named', () => {
  const load = async (files: Readonly<Record<string, string>>) => {
    const folder = await packageFolder({ 'lllm.toml': manifest(), ...files })
    return { folder, loaded: loadFolder(folder) }
  }

  test('by two tactics of one name', async () => {
    const { folder, loaded } = await load({ 'tactics/a.mjs': tactic('same'), 'tactics/b.mjs': tactic('same') })
    const [a, b] = [join(folder, 'tactics/a.mjs'), join(folder, 'tactics/b.mjs')]
    await expect(loaded).rejects.toMatchObject({
      code: 'invalid-tactic',
      message: `${b}: ${a} has the tactic "same" already: rename one of them.`,
    })
  })

  test('by a variant that was given no name of its own', async () => {
    const variant = "import Ants from './ants.mjs'\nexport default class extends Ants {}\n"
    const { loaded } = await load({ 'tactics/ants.mjs': tactic('ants'), 'tactics/more.mjs': variant })
    await expect(loaded).rejects.toThrow('has the tactic "ants" already')
  })

  test('by a file without a tactic, which says what it exports instead', async () => {
    const { folder, loaded } = await load({
      'tactics/a.mjs': "import { Tactic } from 'lllm'\nexport const Base = Tactic({})\nexport const limit = 3\n",
    })
    await expect(loaded).rejects.toThrow(
      `${join(folder, 'tactics/a.mjs')}: It exports no tactic that has a name. ` +
        'It exports Base (a tactic without a name), limit (number). ' +
        'Shared code belongs into a file whose name begins with an underscore.',
    )
    await expect((await load({ 'tactics/a.mjs': '' })).loaded).rejects.toThrow('It exports nothing.')
  })

  test('by a name that cannot stand in a URL', async () => {
    const { loaded } = await load({ 'tactics/a.mjs': tactic('My Tactic') })
    await expect(loaded).rejects.toThrow('The tactic name "My Tactic" does not fit ^[a-z0-9][a-z0-9_-]{0,63}$.')
  })

  test.each([
    ["{ name: 'a' }", 'run', 'The tactic "a" has no method call(task).'],
    ["{ name: 'a', agents: 'writer' }", 'call', 'The agents of the tactic "a" are no list of names.'],
    [
      "{ name: 'a', tactics: { more: undefined } }",
      'call',
      'The sub-tactic "more" of the tactic "a" is no tactic but undefined.',
    ],
    ["{ name: 'a', input: 5 }", 'call', 'The input of the tactic "a" is no schema of zod'],
    ["{ name: 'a', output: {} }", 'call', 'The output of the tactic "a" is no schema of zod'],
  ])('by a tactic of %s with a method %s, which no compiler has seen', async (spec, method, message) => {
    const source = `import { Tactic } from 'lllm'\nexport default class extends Tactic(${spec}) { async ${method}() {} }\n`
    const { folder, loaded } = await load({ 'tactics/a.mjs': source })
    await expect(loaded).rejects.toMatchObject({ code: 'invalid-tactic' })
    await expect(loaded).rejects.toThrow(`${join(folder, 'tactics/a.mjs')}: ${message}`)
  })

  test('by a file that throws, with its message and its cause', async () => {
    const { folder, loaded } = await load({ 'tactics/a.mjs': "throw new Error('The moon is full.')\n" })
    await expect(loaded).rejects.toMatchObject({
      code: 'invalid-tactic',
      message: `${join(folder, 'tactics/a.mjs')}: It could not be loaded: The moon is full.`,
      cause: { message: 'The moon is full.' },
    })
  })

  test('by a file that imports what does not exist', async () => {
    const { folder, loaded } = await load({ 'tactics/a.mjs': "import './_nowhere.mjs'\n" })
    await expect(loaded).rejects.toThrow(`${join(folder, 'tactics/a.mjs')}: It could not be loaded: `)
    await expect(loaded).rejects.toThrow('_nowhere.mjs')
  })

  test('by the first mistake in order of the paths, however many there are', async () => {
    const files = Object.fromEntries(
      ['c', 'a', 'b'].map((name) => [`tactics/${name}.mjs`, `throw new Error('${name}')`]),
    )
    const { loaded } = await load(files)
    await expect(loaded).rejects.toThrow('could not be loaded: a')
  })
})
