import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { watchFolders } from '../../src/cli/serve/serve-folders.ts'
import { createClient } from '../e2e/support/client.ts'
import { config, writePackage } from '../e2e/support/package.ts'
import { spawnLllm } from './support/spawn-lllm.ts'
import { createTestShell, runLllm, type TestShell } from './support/test-shell.ts'

const answering = (answer: string) => `import { Tactic } from 'lllm'
import { answer } from './_answer.ts'
export default class extends Tactic({ name: 'oracle', agents: ['writer'] }) {
  async call() { return '${answer}' + answer }
}
`

function writeOracle(name = 'demo') {
  return writePackage({
    'lllm.toml': `[package]\nname = "${name}"\nversion = "1.0.0"\n`,
    'tactics/oracle.ts': answering('one'),
    'tactics/_answer.ts': "export const answer = ''\n",
    'configs/oracle.yaml': config('oracle', { writer: 'You write.' }),
  })
}

const listening = /"url":"([^"]+)"[^\n]*"msg":"listening"/g

/** The address of the n-th service that was started. */
async function untilListening({ stdout }: TestShell, count: number): Promise<string> {
  const text = await stdout.until((written) => [...written.matchAll(listening)].length >= count)
  return [...text.matchAll(listening)][count - 1]?.[1] ?? ''
}

async function ask(url: string, tactic = 'oracle'): Promise<unknown> {
  return (await createClient(url).call(tactic, 'x')).body.result
}

describe('lllm serve --watch', () => {
  test('serves what was changed, says what is wrong with it meanwhile, and ends with Ctrl-C', async () => {
    const folder = await writeOracle()
    const shell = createTestShell({ folder })
    const serving = runLllm(['serve', '--watch', '--package', folder], shell)
    expect(await ask(await untilListening(shell, 1))).toBe('one')

    writeFileSync(join(folder, 'tactics/_answer.ts'), "export const answer = ' and two'\n")
    expect(await ask(await untilListening(shell, 2))).toBe('one and two')
    expect(shell.stderr.text).toContain('lllm: tactics/_answer.ts has changed: starting anew.\n')

    writeFileSync(join(folder, 'lllm.toml'), '[package]\nname = 12\n')
    await shell.stderr.until(/lllm cannot start\. .*lllm\.toml:2:.*\nlllm: The service has ended\. .* next change\.\n/s)

    const needed = await writeOracle('needed')
    const dependencies = `[dependencies]\npackages = ["${relative(folder, needed)}"]`
    writeFileSync(join(folder, 'lllm.toml'), `[package]\nname = "demo"\nversion = "1.0.0"\n${dependencies}\n`)
    expect(await ask(await untilListening(shell, 3))).toBe('one and two')

    writeFileSync(join(needed, 'tactics/_answer.ts'), "export const answer = ' of another package'\n")
    const url = await untilListening(shell, 4)
    expect(await ask(url, 'needed::oracle')).toBe('one of another package')

    shell.interrupt()
    expect(await serving).toMatchObject({ code: 0 })
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  test('leaves no service behind when it is killed', async () => {
    const watching = spawnLllm(['serve', '--watch'], { folder: await writeOracle() })
    await vi.waitFor(() => expect(watching.output.stdout).toMatch(listening), { interval: 20, timeout: 15_000 })
    const [, url = ''] = [...watching.output.stdout.matchAll(listening)][0] ?? []
    expect((await createClient(url).get('/healthz')).status).toBe(200)
    watching.kill('SIGKILL')
    await vi.waitFor(() => expect(fetch(url)).rejects.toThrow('fetch failed'), { interval: 20, timeout: 10_000 })
  })
})

describe('the files of a package are watched', () => {
  async function watchPackage(files: Readonly<Record<string, string>> = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'lllm-watch-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const at = (path: string) => join(folder, path)
    for (const sub of ['tactics/deep/er', 'node_modules/zod', 'data', '.git', 'assets'])
      mkdirSync(at(sub), { recursive: true })
    for (const [path, text] of Object.entries(files)) writeFileSync(at(path), text)
    const watch = await watchFolders([{ folder, assets: [at('assets')] }])
    onTestFinished(() => watch.close())
    return { at, watch }
  }

  test.each([
    { what: 'a tactic', path: 'tactics/a.ts' },
    { what: 'a file far below', path: 'tactics/deep/er/a.ts' },
    { what: 'the manifest', path: 'lllm.toml' },
    { what: 'a prompt', path: 'prompt.md' },
    { what: 'an asset of any kind', path: 'assets/table.csv' },
  ])('where $what is written', async ({ path }) => {
    const { at, watch } = await watchPackage()
    writeFileSync(at(path), 'new')
    expect(await watch.changed).toBe(at(path))
  })

  test('where one is removed', async () => {
    const { at, watch } = await watchPackage({ 'tactics/a.ts': 'old' })
    rmSync(at('tactics/a.ts'))
    expect(await watch.changed).toBe(at('tactics/a.ts'))
  })

  test('where a folder is made', async () => {
    const { at, watch } = await watchPackage()
    mkdirSync(at('prompts'))
    expect(await watch.changed).toBe(at('prompts'))
  })

  test('and what is not of its making is not', async () => {
    const { at, watch } = await watchPackage()
    for (const path of [
      'node_modules/zod/a.js',
      'node_modules/a.ts',
      'data/a.json',
      '.git/a.json',
      '.env.ts',
      'lllm.db',
      'out.jsonl',
    ]) {
      writeFileSync(at(path), 'new')
    }
    // Events come in the order of what happened: had one of those counted, it would have been the first.
    writeFileSync(at('last.ts'), 'new')
    expect(await watch.changed).toBe(at('last.ts'))
    expect(readFileSync(at('lllm.db'), 'utf8')).toBe('new')
  })
})
