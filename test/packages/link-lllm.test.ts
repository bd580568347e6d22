import { execFile } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { manifest, packageFolder, tactic } from './package-folder.ts'

const sources = new URL('../../src/', import.meta.url)

/** Runs a program in a Node of its own, for hooks of modules mean nothing inside the test runner. Gives what it prints. */
async function runProgram(program: string): Promise<unknown> {
  const imports = `
    import { linkLllm } from '${new URL('packages/link-lllm.ts', sources)}'
    import { loadPackages } from '${new URL('packages/load-packages.ts', sources)}'
    import { Tactic } from '${new URL('index.ts', sources)}'
    const index = '${new URL('index.ts', sources)}'
    const tell = (value) => process.stdout.write(JSON.stringify(value))
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', imports + program])
  return JSON.parse(stdout)
}

describe('a package outside of this project', () => {
  test('gets the running copy of the library, though it has another one of its own', async () => {
    const folder = await packageFolder({
      'lllm.toml': manifest(),
      'tactics/a.ts': tactic('ants').replace('async call(task)', 'async call(task: string)'),
      'tactics/b.ts': "import { Tactic } from 'lllm'\nexport { Tactic }\nexport { default } from './a.ts'\n",
      'node_modules/lllm/package.json': '{ "name": "lllm", "type": "module", "exports": "./index.js" }',
      'node_modules/lllm/index.js': "throw new Error('the wrong copy')",
    })
    const program = `
      linkLllm(index)
      linkLllm(index)
      const { packages: { root: { tactics } } } = await loadPackages({ folder: ${JSON.stringify(folder)} })
      const passedOn = await import(${JSON.stringify(`file://${join(folder, 'tactics/b.ts')}`)})
      tell([tactics.map(({ tactic }) => tactic.spec.name), passedOn.Tactic === Tactic])
    `
    expect(await runProgram(program)).toEqual([['ants'], true])
  })

  test('gets the zod of the library where it has none of its own', async () => {
    const folder = await packageFolder({
      'lllm.toml': manifest(),
      'tactics/a.ts': `import { z } from 'zod'\nexport { z }\n${tactic('ants').replace('(task)', '(task: string)')}`,
      'own/node_modules/zod/package.json': '{ "name": "zod", "type": "module", "exports": "./index.js" }',
      'own/node_modules/zod/index.js': "export const z = 'its own'",
      'own/b.ts': "export { z } from 'zod'",
      'own/c.ts': "export { z } from 'zodiac'",
    })
    const inFolder = (path: string) => JSON.stringify(`file://${join(folder, path)}`)
    const program = `
      linkLllm(index)
      const { z } = await import('zod')
      const same = (await import(${inFolder('tactics/a.ts')})).z === z
      const own = (await import(${inFolder('own/b.ts')})).z
      const { code } = await import(${inFolder('own/c.ts')}).catch((error) => error)
      tell([same, own, code])
    `
    expect(await runProgram(program)).toEqual([true, 'its own', 'ERR_MODULE_NOT_FOUND'])
  })

  test('judges and describes with the schemas of its own zod, whichever that is', async () => {
    const schema = 'z.object({ topic: z.string().min(2), length: z.number().default(3) })'
    const folder = await packageFolder({
      'v4.ts': `import { z } from 'zod'\nexport { z }\nexport const schema = ${schema}`,
      'v3.js': `import { z } from 'zod/v3'\nexport { z }\nexport const schema = ${schema}`,
      'package.json': '{ "type": "module" }',
    })
    // A real copy: a link would lead to the same modules.
    await cp(new URL('../../node_modules/zod', import.meta.url), join(folder, 'node_modules/zod'), { recursive: true })
    const program = `
      import { toJsonSchema, validate } from '${new URL('domain/schema.ts', sources)}'
      linkLllm(index)
      const ours = await import('zod')
      const told = []
      for (const file of ['v4.ts', 'v3.js']) {
        const { schema, z } = await import(new URL(file, ${JSON.stringify(`file://${folder}/`)}))
        told.push(z === ours.z, await validate(schema, { topic: 'bees' }), (await validate(schema, { topic: 'x' })).ok)
        const { properties, required } = toJsonSchema(schema, 'input')
        told.push([Object.keys(properties), required])
      }
      tell(told)
    `
    const judged = [false, { ok: true, value: { topic: 'bees', length: 3 } }, false, [['topic', 'length'], ['topic']]]
    expect(await runProgram(program)).toEqual([...judged, ...judged])
  })

  test('may be CommonJS', async () => {
    const folder = await packageFolder({
      'a.cjs': "exports.Tactic = require('lllm').Tactic\nexports.z = require('zod').z\n",
    })
    const program = `
      linkLllm(index)
      const { default: required } = await import(${JSON.stringify(`file://${join(folder, 'a.cjs')}`)})
      tell([required.Tactic === Tactic, typeof required.z.string])
    `
    expect(await runProgram(program)).toEqual([true, 'function'])
  })

  test.each([
    ['export default class {', 'Unexpected eof'],
    ['enum Wrong { A }', 'TypeScript enum is not supported in strip-only mode'],
    ["import { Tactik } from 'lllm'", "does not provide an export named 'Tactik'"],
  ])('whose module says %s is told what is wrong with it, and where', async (source, message) => {
    const folder = await packageFolder({ 'lllm.toml': manifest(), 'tactics/a.ts': `\n\n${source}` })
    const program = `
      linkLllm(index)
      await loadPackages({ folder: ${JSON.stringify(folder)} }).catch(({ code, message }) => tell({ code, message }))
    `
    const told = await runProgram(program)
    expect(told).toMatchObject({ code: 'invalid-tactic', message: expect.stringContaining(message) })
    expect(told).toMatchObject({ message: expect.stringContaining(`(${join(folder, 'tactics/a.ts')}:3)`) })
  })
})

describe('the other modules that the library gives', () => {
  test('are those of the running copy, too', async () => {
    const folder = await packageFolder({ 'a.ts': "export { testRuntime } from 'lllm/testing'\n" })
    const program = `
      linkLllm(index)
      const { testRuntime } = await import('${new URL('testing.ts', sources)}')
      tell((await import(${JSON.stringify(`file://${join(folder, 'a.ts')}`)})).testRuntime === testRuntime)
    `
    expect(await runProgram(program)).toBe(true)
  })

  test('are found beside the public API in the compiled form', async () => {
    const folder = await packageFolder({
      'package.json': '{ "type": "module" }',
      ...Object.fromEntries(
        ['index', 'testing', 'client'].map((name) => [`dist/${name}.js`, `export default '${name}'`]),
      ),
      'inside/a.ts': `import index from 'lllm'
import testing from 'lllm/testing'
import client from 'lllm/client'
export default [index, testing, client]
`,
    })
    const inFolder = (path: string) => JSON.stringify(`file://${join(folder, path)}`)
    const program = `
      linkLllm(${inFolder('dist/index.js')})
      tell((await import(${inFolder('inside/a.ts')})).default)
    `
    expect(await runProgram(program)).toEqual(['index', 'testing', 'client'])
  })

  test('are those that the package exports', async () => {
    const file = fileURLToPath(new URL('../../package.json', import.meta.url))
    const { exports } = JSON.parse(await readFile(file, 'utf8')) as { exports: Record<string, { default?: string }> }
    const { './package.json': _, ...modules } = exports
    const specifiers = Object.keys(modules).map((path) => path.replace('.', 'lllm'))
    const program = `
      linkLllm(index)
      tell(${JSON.stringify(specifiers)}.map((specifier) => import.meta.resolve(specifier)))
    `
    const sourceOf = (target = '') => target.replace('./dist/src/', sources.href).replace('.js', '.ts')
    expect(await runProgram(program)).toEqual(Object.values(modules).map((target) => sourceOf(target.default)))
  })
})
