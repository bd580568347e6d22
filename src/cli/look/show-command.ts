import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface ShowTacticOptions {
  readonly json?: true
}

export function addShow(program: Command, act: Act) {
  program
    .command('show')
    .description('Shows a tactic: its agents, configs and sub-tactics, what it takes and gives, and how to call it.')
    .argument('<tactic>', 'its name, package::name, or alias::name')
    .option('--json', 'what GET /tactics/{name} answers')
    .action(
      act(async (shell, name: string, options: ShowTacticOptions) => {
        const { showTactic } = await import('./show-tactic.ts')
        return showTactic(shell, name, options)
      }),
    )
}
