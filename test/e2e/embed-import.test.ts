import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const index = new URL('../../src/index.ts', import.meta.url).href

/** Imports the library and prints the packages of which a module was loaded for it. */
const program = `import { registerHooks } from 'node:module'
const packages = new Set()
registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? []
    if (name !== undefined) packages.add(name)
    return nextLoad(url, context)
  },
})
await import('${index}')
process.stdout.write(JSON.stringify([...packages].sort()))
`

test('importing the library loads schemas, and no server, database or client of a provider', async () => {
  // Every file of a tactic imports it, and so does every command of the command line that loads one.
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd })
  expect(JSON.parse(stdout)).toEqual(['zod', 'zod-to-json-schema'])
})
