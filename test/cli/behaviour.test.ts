import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writePackage } from '../e2e/support/package.ts'
import { projectFolder } from '../e2e/support/service.ts'
import { spawnProcess } from '../e2e/support/spawned-service.ts'
import { databaseFiles } from '../support/database-files.ts'
import { runLllm } from './support/test-shell.ts'

const { newPath } = databaseFiles()
const entry = join(projectFolder, 'src/cli/lllm.ts')

/** What lets a command look at something, for each that does. */
const commands: string[][] = [['list'], ['show', 'summarizer'], ['check'], ['sessions'], ['session', '019a'], ['costs']]
const packageCommands = commands.slice(0, 3)
const storeCommands = commands.slice(3)

describe.each(commands)('lllm %s', (...args) => {
  test('says with --help what it does, on the standard output', async () => {
    const { code, stdout, stderr } = await runLllm([...args, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: lllm ${args[0]} `)
    expect(stdout).toContain('--json')
  })

  test('does not understand what it does not know, tries nothing, and says what was probably meant', async () => {
    const { code, stdout, stderr } = await runLllm([...args, '--jsn'], { database: newPath() })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error: unknown option '--jsn'\n\(Did you mean --json\?\)\n/)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('takes nothing more than its arguments', async () => {
    expect(await runLllm([...args, 'more'])).toMatchObject({ code: 2, stdout: '' })
  })

  test('ends with 1 and one line where a setting is wrong', async () => {
    const { code, stdout, stderr } = await runLllm(args, { database: newPath(), env: { LLLM_PORT: 'many' } })
    const told = 'LLLM_PORT must be a whole number from 0 to 65535, not "many".\n'
    if (args[0] === 'check') {
      // To find mistakes is what it is for, so that this is its result.
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
      expect(stdout).toMatch(`mistake  ${told}`)
    } else {
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: `lllm: ${told}` })
    }
  })
})

test.each(packageCommands)('lllm %s says that there is no manifest where it was told to look', async (...args) => {
  const { code, stdout, stderr } = await runLllm(args, { env: { LLLM_CONFIG: '/no/such/place' } })
  expect(code).toBe(1)
  expect(stdout + stderr).toContain('/no/such/place: There is no lllm.toml, where LLLM_CONFIG')
})

test('colours are for terminals alone', async () => {
  const colour = '\u001b['
  expect((await runLllm(['list'])).stdout).not.toContain(colour)
  expect((await runLllm(['list'], { terminal: true })).stdout).toContain(colour)
  expect((await runLllm(['list'], { terminal: 'stderr' })).stdout).not.toContain(colour)
})

/** Ends with whatever the command does whose output nobody reads. */
async function withoutReader(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'], LLLM_DATABASE: newPath(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdout.destroy()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stderr }
}

test('a reader that has gone, as in `lllm list | head -1`, ends it without a word', async () => {
  const ended = await Promise.all([['list'], ['check', '--json'], ['--help']].map((args) => withoutReader(args, {})))
  expect(ended).toEqual(ended.map(() => ({ code: 141, stderr: '' })))
})

test('Ctrl-C ends what takes long, without a word', async () => {
  const folder = await writePackage({
    'tactics/slow.ts': "console.log('loading')\nsetInterval(() => {}, 1_000)\nawait new Promise(() => {})\n",
  })
  const child = spawnProcess({ folder, env: { LLLM_HOME: join(folder, '.home') } }, [entry, 'list'])
  await expect.poll(() => child.output.stderr, { timeout: 10_000 }).toBe('loading\n')
  child.kill('SIGINT')
  expect(await child.exited).toEqual({ code: null, signal: 'SIGINT', stdout: '', stderr: 'loading\n' })
})

test.each(storeCommands)('lllm %s does not wait for a package, which may not even be there', async (...args) => {
  const { code, stderr } = await runLllm(args, { database: newPath(), env: { LLLM_CONFIG: '/no/such/place' } })
  expect(code).toBe(1)
  expect(stderr).toMatch(/^lllm: There is no database /)
})
