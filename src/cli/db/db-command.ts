import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface DatabaseOptions {
  readonly json?: true
}

export function addDb(program: Command, act: Act) {
  const family = program
    .command('db')
    .description('Tells how far the tables of LLLM_DATABASE are, and brings them up to date.')
  family
    .command('status')
    .description('Lists the steps that lead to the tables of this version. Fails where some are pending.')
    .option('--json', 'the same as JSON')
    .action(
      act(async (shell, options: DatabaseOptions) => {
        const { showStatus } = await import('./db-status.ts')
        return showStatus(shell, options)
      }),
    )
  family
    .command('migrate')
    .description(
      'Takes the steps that are pending. A service does so by itself at its start, unless LLLM_MIGRATE is never.',
    )
    .option('--json', 'the steps that were taken, as JSON')
    .addHelpText('after', '\nExample:\n  $ LLLM_DATABASE=postgres://lllm@db/lllm lllm db migrate')
    .action(
      act(async (shell, options: DatabaseOptions) => {
        const { migrateDatabase } = await import('./db-migrate.ts')
        return migrateDatabase(shell, options)
      }),
    )
}
