import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface ListTacticsOptions {
  readonly json?: true
}

export function addList(program: Command, act: Act) {
  program
    .command('list')
    .description('Lists the tactics of the nearest lllm.toml, of the packages that it needs, and of those installed.')
    .option('--json', 'what GET /tactics answers')
    .action(
      act(async (shell, options: ListTacticsOptions) => {
        const { listTactics } = await import('./list-tactics.ts')
        return listTactics(shell, options)
      }),
    )
}
