import { writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProject } from '../../src/cli/create/create-project.ts'
import { readManifest } from '../../src/packages/manifest.ts'
import { testRuntime } from '../../src/testing.ts'
import { version } from '../../src/version.ts'
import { projectFolder } from '../e2e/support/service.ts'
import { packageFolder } from '../packages/package-folder.ts'
import { createTestShell, runLllm, type TestShell } from './support/test-shell.ts'

const files = [
  '.gitignore',
  'README.md',
  'configs/headlines.yaml',
  'lllm.toml',
  'package.json',
  'prompts/editor.md',
  'tactics/headlines.ts',
  'test/headlines.test.ts',
  'tsconfig.json',
]

async function listAll(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name))
  return names.map((name) => name.slice(folder.length + 1)).sort()
}

const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8'))

describe('lllm create', () => {
  test('writes a project, and says what next', async () => {
    const folder = await packageFolder({})
    const { code, stdout, stderr } = await runLllm(['create', 'demo'], { folder })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(`Created ${folder}/demo. Next:\n\n  cd demo\n  npm install && npm start\n  npm test\n`)
    expect(await listAll(join(folder, 'demo'))).toEqual(files)
    expect(await readManifest(join(folder, 'demo/lllm.toml'))).toMatchObject({ name: 'demo', version: '0.1.0' })
    const texts = await Promise.all(files.map((file) => readFile(join(folder, 'demo', file), 'utf8')))
    expect(texts.filter((text) => text.includes('{{'))).toEqual([])
  })

  test('writes it for this version, and for the packages that this one was tested with', async () => {
    const folder = await packageFolder({})
    await runLllm(['create', 'demo'], { folder })
    const own = await readJson(join(projectFolder, 'package.json'))
    expect(await readJson(join(folder, 'demo/package.json'))).toMatchObject({
      name: 'demo',
      type: 'module',
      scripts: { start: 'lllm serve', test: 'node --test "test/**/*.test.ts"' },
      dependencies: { lllm: `^${version}`, zod: `^${own.dependencies.zod}` },
      devDependencies: {
        node: `^${own.devDependencies.node}`,
        '@types/node': `^${own.devDependencies['@types/node']}`,
      },
    })
  })

  test('writes a project that starts', async () => {
    const folder = await packageFolder({})
    await runLllm(['create', 'demo'], { folder })
    const { engine, warnings } = await testRuntime({ folder: join(folder, 'demo') })
    expect(engine.tactics.map(({ id }) => id)).toEqual(['demo::headlines'])
    expect(warnings).toEqual([])
  })

  test('writes into the folder that it is told, also one that is empty, or the one where it is', async () => {
    const folder = await packageFolder({})
    await mkdir(join(folder, 'here/it is'), { recursive: true })
    const there = await runLllm(['create', 'demo', '--directory', 'here/it is'], { folder })
    expect(there).toMatchObject({ code: 0, stdout: expect.stringContaining('\n  cd "here/it is"\n') })
    const within = await packageFolder({})
    const here = await runLllm(['create', 'demo', '--directory', '.'], { folder: within })
    expect(here).toMatchObject({ code: 0, stdout: expect.not.stringContaining('cd ') })
    expect(await listAll(within)).toEqual(files)
  })
})

describe('lllm create refuses, with exit code 2, and writes nothing', () => {
  test.each([
    ['Demo', 'does not fit ^[a-z0-9]'],
    ['../demo', 'does not fit ^[a-z0-9]'],
    ['.demo', 'does not fit ^[a-z0-9]'],
    ['a'.repeat(65), 'does not fit ^[a-z0-9]'],
    ['', 'does not fit ^[a-z0-9]'],
    ['lllm', 'would be mistaken for the module of that name'],
    ['node_modules', 'would be mistaken for the module of that name'],
    ['http', 'would be mistaken for the module of that name'],
  ])('the name %j', async (name, reason) => {
    const folder = await packageFolder({})
    const { code, stdout, stderr } = await runLllm(['create', name, '--directory', 'demo'], { folder })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`lllm: The name ${JSON.stringify(name)} ${reason}`)
    expect(await readdir(folder)).toEqual([])
  })

  test('a folder that has files in it', async () => {
    const folder = await packageFolder({ 'demo/.env': 'KEY=1', 'demo/a': '', 'demo/b': '', 'demo/c': '' })
    const { code, stdout, stderr } = await runLllm(['create', 'demo'], { folder })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^lllm: .*demo has files in it: .*, .*, .* …\. Say --directory with a folder/)
    expect(await listAll(folder)).toEqual(['demo/.env', 'demo/a', 'demo/b', 'demo/c'])
  })

  test('a place that is a file', async () => {
    const folder = await packageFolder({ demo: 'a file' })
    expect(await runLllm(['create', 'demo'], { folder })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is no folder'),
    })
  })

  test('to be called without a name', async () => {
    expect(await runLllm(['create'])).toMatchObject({ code: 2, stderr: expect.stringContaining("argument 'name'") })
  })
})

describe('lllm create that comes to an end', () => {
  test('where it cannot write leaves nothing behind, not even the folders that it made', async () => {
    const folder = await packageFolder({ file: 'a file' })
    const { code, stdout, stderr } = await runLllm(['create', 'demo', '--directory', 'file/below/demo'], { folder })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(await listAll(folder)).toEqual(['file'])
  })

  test('where the system refuses it says so', async () => {
    const { code, stdout, stderr } = await runLllm(['create', 'demo', '--directory', '/proc/below/demo'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^lllm: \/proc\/below\/demo could not be written, and nothing was left there: ENOENT/)
  })

  test('in the middle leaves what others have put there, and nothing of its own', async () => {
    const folder = await packageFolder({})
    const { signal } = new AbortController()
    let files = 0
    // Asked before each file: by the fourth, somebody else has written where a folder is to be.
    signal.throwIfAborted = () => {
      if (++files === 4) for (const name of ['test', 'prompts']) writeFileSync(join(folder, 'deep/demo', name), name)
    }
    await expect(createProject({ name: 'demo', folder: join(folder, 'deep/demo') }, signal)).rejects.toMatchObject({
      syscall: expect.stringMatching(/mkdir|open/),
    })
    expect(await listAll(folder)).toEqual(['deep/demo/prompts', 'deep/demo/test'])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s leaves nothing behind', async (signal, code) => {
    const folder = await packageFolder({})
    const shell = createTestShell({ folder })
    const interrupted: TestShell = {
      ...shell,
      onInterrupt(listener) {
        listener(signal)
        return () => {}
      },
    }
    expect(await runLllm(['create', 'demo'], interrupted)).toEqual({ code, stdout: '', stderr: '' })
    expect(await readdir(folder)).toEqual([])
  })
})
