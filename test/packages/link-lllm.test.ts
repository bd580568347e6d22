import { execFile } from 'node:child_process'
import { join } from 'node:path'
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
