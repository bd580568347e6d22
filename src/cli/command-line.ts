import { Command, CommanderError, type OutputConfiguration } from 'commander'
import { isLllmError } from '../domain/errors.ts'
import { version } from '../version.ts'
import { addBatch } from './batch/batch-command.ts'
import { addCheck } from './check/check-command.ts'
import { addCreate } from './create/create-command.ts'
import { addDb } from './db/db-command.ts'
import { harmlessText } from './display-text.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { addKeys } from './keys/keys-command.ts'
import { addCosts } from './look/costs-command.ts'
import { addList } from './look/list-command.ts'
import { addSession } from './look/session-command.ts'
import { addSessions } from './look/sessions-command.ts'
import { addShow } from './look/show-command.ts'
import { addPkg } from './pkg/pkg-command.ts'
import { addRun } from './run/run-command.ts'
import { addServe } from './serve/serve-command.ts'
import type { Run, Shell } from './shell.ts'
import { addWebhooks } from './webhooks/webhooks-command.ts'
import { write } from './write.ts'

/** Turns a command's work into what commander calls. */
export type Act = <Args extends readonly unknown[]>(run: Run<Args>) => (...args: Args) => Promise<void>

/** Each adds a command, or a family of them. What they do is loaded when it is done: help has to be quick. */
const commands: readonly ((program: Command, act: Act) => void)[] = [
  addServe,
  addRun,
  addBatch,
  addCreate,
  addList,
  addShow,
  addCheck,
  addSessions,
  addSession,
  addCosts,
  addPkg,
  addDb,
  addKeys,
  addWebhooks,
]

/** Columns of a help that is not read on a terminal. */
const helpWidthDefault = 80

/** Runs one command. Never rejects. */
export async function runCommandLine(args: readonly string[], shell: Shell): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done
  const act: Act =
    (run) =>
    async (...given) => {
      exitCode = await run(shell, ...given)
    }
  const program = createProgram(act, {
    writeOut: (text) => void shell.stdout.write(text),
    writeErr: (text) => void shell.stderr.write(text),
    getOutHelpWidth: () => shell.stdout.columns ?? helpWidthDefault,
    getErrHelpWidth: () => shell.stderr.columns ?? helpWidthDefault,
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.misused
    return explain(error, shell)
  }
}

/** The whole program, also for the docs, which are made from its help. */
export function createProgram(act: Act, output: OutputConfiguration): Command {
  const program = new Command('lllm')
    .description('Serves tactics: multi-agent LLM programs as REST endpoints.')
    .version(version)
    .showHelpAfterError('lllm --help tells what there is.')
    .exitOverride()
    // Commands take it from the program as it is when they are added.
    .configureOutput(output)
  for (const add of commands) add(program, act)
  return program
}

async function explain(error: unknown, { stderr, env }: Shell): Promise<ExitCode> {
  if (isLllmError(error)) {
    await write(stderr, `lllm: ${harmlessText(error.message)}\n`)
    return exitCodeOf(error.code)
  }
  const isDebugging = ['debug', 'trace'].includes(env['LLLM_LOG_LEVEL'] ?? '')
  const told = error instanceof Error ? (isDebugging && error.stack) || error.message : String(error)
  await write(stderr, `lllm: This is a bug of lllm: ${harmlessText(told)}\nLLLM_LOG_LEVEL=debug tells more.\n`)
  return exitCodes.bug
}
