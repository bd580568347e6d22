import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface DatabaseOptions {
  readonly json?: true
}

export function addDb(program: Command, act: Act) {
  const family = program
    .command('db')
    .description('Tells how far the tables of LLLM_DATABASE are, brings them up to date, and backs them up.')
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
  family
    .command('backup')
    .description('Writes all of a SQLite database into a new file, as it is now. Services may go on meanwhile.')
    .argument('<file>', 'where to; it must not be there yet')
    .option('--json', 'what was written, as JSON')
    .addHelpText('after', '\nExample:\n  $ lllm db backup backups/lllm-$(date +%F).db')
    .action(
      act(async (shell, file: string, options: DatabaseOptions) => {
        const { backUp } = await import('./db-backup.ts')
        return backUp(shell, file, options)
      }),
    )
}
