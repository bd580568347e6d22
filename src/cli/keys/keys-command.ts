import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface CreateKeyOptions {
  readonly name: string
  readonly tenant?: string
  readonly scope?: readonly string[]
  readonly expires?: string
  readonly requestsPerMinute?: string
  readonly concurrency?: string
  readonly budgetUsd?: string
  readonly per?: string
  readonly json?: true
}

export interface RotateKeyOptions {
  readonly keep?: string
  readonly json?: true
}

export function addKeys(program: Command, act: Act) {
  const family = program.command('keys').description('Makes and revokes the keys of callers, in LLLM_DATABASE.')
  family
    .command('create')
    .description(
      'Makes a key and writes it, this once: only its hash is kept. With the first key, a service asks for keys.',
    )
    .requiredOption('--name <name>', 'what you call it')
    .option('--tenant <tenant>', 'whose sessions, runs and costs it is about (default: default)')
    .option(
      '--scope <scope>',
      'what it may do: tactics:<name>:call, tactics:*:call, sessions:read, costs:read, admin; give it several times (default: all but admin)',
      (scope: string, scopes: readonly string[] = []) => [...scopes, scope],
    )
    .option('--expires <when>', 'when it ends: 90d, 12h, or 2027-01-31')
    .option('--requests-per-minute <count>', 'requests in any 60 seconds')
    .option('--concurrency <count>', 'calls under way at once in one process, and runs over all')
    .option('--budget-usd <usd>', 'what its calls may cost in a period')
    .option('--per <period>', 'the period of the budget: day or month (default: month)')
    .option('--json', 'the key and what is known of it, as JSON')
    .addHelpText('after', '\nExample:\n  $ lllm keys create --name ci --scope tactics:summarizer:call --expires 90d')
    .action(
      act(async (shell, options: CreateKeyOptions) => {
        const { createKey } = await import('./create-key.ts')
        return createKey(shell, options)
      }),
    )
  family
    .command('list')
    .description('Lists all keys, without what makes them keys.')
    .option('--json', 'the same as JSON')
    .action(
      act(async (shell, options: { readonly json?: true }) => {
        const { listKeys } = await import('./list-keys.ts')
        return listKeys(shell, options)
      }),
    )
  family
    .command('rotate')
    .description('Makes a key in the place of another, which holds on for a while.')
    .argument('<id>', 'the id of the key')
    .option('--keep <time>', 'how long the old key still holds: 0h to 365d (default: 24h)')
    .option('--json', 'the key and what is known of it, as JSON')
    .action(
      act(async (shell, id: string, options: RotateKeyOptions) => {
        const { rotateKey } = await import('./rotate-key.ts')
        return rotateKey(shell, id, options)
      }),
    )
  family
    .command('revoke')
    .description('Ends a key, and the runs of it that wait. Services notice within 5 seconds.')
    .argument('<id>', 'the id of the key')
    .action(
      act(async (shell, id: string) => {
        const { revokeKey } = await import('./revoke-key.ts')
        return revokeKey(shell, id)
      }),
    )
}
