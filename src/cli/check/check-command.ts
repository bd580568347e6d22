import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface CheckOptions {
  readonly static?: true
  readonly json?: true
}

const more = `
Exit codes: 0 no mistakes (there may be warnings), 1 mistakes.

Examples:
  $ lllm check
  $ lllm check --static --json`

export function addCheck(program: Command, act: Act) {
  program
    .command('check')
    .description(
      'Finds all mistakes of a project at once: in settings, manifests, configs, prompts and tactics. Asks no model.',
    )
    .option('--static', 'run no code of the packages: judge settings, manifests, configs and .md prompts only')
    .option('--json', 'the mistakes and warnings as JSON')
    .addHelpText('after', more)
    .action(
      act(async (shell, options: CheckOptions) => {
        const { runCheck } = await import('./check-run.ts')
        return runCheck(shell, options)
      }),
    )
}
