import { relative, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Act } from '../command-line.ts'
import { type ExitCode, exitCodeAfter, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { isSystemError } from '../system-error.ts'
import { write } from '../write.ts'

interface CreateOptions {
  readonly directory?: string
}

export function addCreate(program: Command, act: Act) {
  program
    .command('create')
    .description('Writes a new project: a tactic with its config and its prompt, and a test that needs no key.')
    .argument('<name>', 'what the project and its package are called: a-z, 0-9, _ and -, at most 64 characters')
    .option('--directory <path>', 'the folder to write, which has to be empty or not there yet (default: the name)')
    .addHelpText('after', '\nExamples:\n  $ lllm create demo\n  $ lllm create demo --directory .')
    .action(act(runCreate))
}

async function runCreate(shell: Shell, name: string, { directory = name }: CreateOptions): Promise<ExitCode> {
  const { createProject } = await import('./create-project.ts')
  const folder = resolve(shell.folder, directory)
  const interrupt = new AbortController()
  const forget = shell.onInterrupt((signal) => interrupt.abort(signal))
  try {
    await createProject({ name, folder }, interrupt.signal)
  } catch (error) {
    if (interrupt.signal.aborted) return exitCodeAfter(interrupt.signal.reason)
    if (!isSystemError(error)) throw error
    await write(shell.stderr, `lllm: ${folder} could not be written, and nothing was left there: ${error.message}\n`)
    return exitCodes.failed
  } finally {
    forget()
  }
  await write(shell.stdout, tellNext(folder, shell.folder))
  return exitCodes.done
}

function tellNext(folder: string, from: string): string {
  const path = relative(from, folder)
  // What is told can be pasted, whatever the folder is called.
  const quoted = /^[\w./-]+$/.test(path) ? path : JSON.stringify(path)
  const enter = path === '' ? '' : `  cd ${quoted}\n`
  return `Created ${folder}. Next:\n\n${enter}  npm install && npm start\n  npm test\n`
}
