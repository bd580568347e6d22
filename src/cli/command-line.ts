import { Command, CommanderError } from 'commander'
import { isLllmError } from '../domain/errors.ts'
import { version } from '../version.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { addServe } from './serve-command.ts'
import type { Run, Shell } from './shell.ts'
import { write } from './write.ts'

/** Turns a command's work into what commander calls. */
export type Act = <Args extends readonly unknown[]>(run: Run<Args>) => (...args: Args) => Promise<void>

/** Each adds a command, or a family of them. What they do is loaded when it is done: help has to be quick. */
const commands: readonly ((program: Command, act: Act) => void)[] = [addServe]

/** Runs one command. Never rejects. */
export async function runCommandLine(args: readonly string[], shell: Shell): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done
  const program = createProgram((run) => async (...given) => {
    exitCode = await run(shell, ...given)
  })
  program.configureOutput({
    writeOut: (text) => void shell.stdout.write(text),
    writeErr: (text) => void shell.stderr.write(text),
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
export function createProgram(act: Act): Command {
  const program = new Command('lllm')
    .description('Serves tactics: multi-agent LLM programs as REST endpoints.')
    .version(version)
    .showHelpAfterError('lllm --help tells what there is.')
    .exitOverride()
  for (const add of commands) add(program, act)
  return program
}

async function explain(error: unknown, { stderr, env }: Shell): Promise<ExitCode> {
  if (isLllmError(error)) {
    await write(stderr, `lllm: ${error.message}\n`)
    return exitCodeOf(error.code)
  }
  const isDebugging = ['debug', 'trace'].includes(env['LLLM_LOG_LEVEL'] ?? '')
  const told = error instanceof Error ? (isDebugging && error.stack) || error.message : String(error)
  await write(stderr, `lllm: This is a bug of lllm: ${told}\nLLLM_LOG_LEVEL=debug tells more.\n`)
  return exitCodes.bug
}
