import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { childEnvironment } from './support/service.ts'

const index = new URL('../../src/index.ts', import.meta.url).href

/** Runs a program that has the library as `lllm`, and gives the packages of which a module was loaded for it. */
async function packagesLoadedBy(program: string): Promise<readonly string[]> {
  const watched = `import { registerHooks } from 'node:module'
const packages = new Set()
registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url) ?? []
    if (name !== undefined) packages.add(name)
    return nextLoad(url, context)
  },
})
const lllm = await import('${index}')
${program}
process.stdout.write(JSON.stringify([...packages].sort()))
`
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const args = ['--input-type=module', '--eval', watched]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env: childEnvironment() })
  return JSON.parse(stdout)
}

test('importing the library loads schemas, and no server, database or client of a provider', async () => {
  // Every file of a tactic imports it, and so does every command of the command line that loads one.
  expect(await packagesLoadedBy('')).toEqual(['zod'])
})

test('calling a tactic loads nothing of OpenTelemetry but its types where nobody receives traces', async () => {
  const loaded = await packagesLoadedBy(`
const runtime = await lllm.loadRuntime({ env: { LLLM_DATABASE: ':memory:', LLLM_HOME: '/nonexistent' } })
await runtime.quick('Hello', { model: 'any' })
await runtime.close()
`)
  expect(loaded).toContain('yaml')
  // The client of Prometheus knows them, for what it calls exemplars.
  expect(loaded.filter((name) => name.startsWith('@opentelemetry/'))).toEqual(['@opentelemetry/api'])
})
