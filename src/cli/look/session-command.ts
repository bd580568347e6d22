import type { Command } from 'commander'
import type { Act } from '../command-line.ts'

export interface ShowSessionOptions {
  readonly cost?: true
  readonly json?: true
}

export function addSession(program: Command, act: Act) {
  program
    .command('session')
    .description('Shows what happened in a session: its agents, model calls, tools and sub-tactics.')
    .argument('<id>', 'the id of the session, or enough of its beginning')
    .option('--cost', 'what it cost instead: a line for each tactic, agent and model')
    .option('--json', 'what GET /sessions/{id} answers, or with --cost GET /sessions/{id}/cost')
    .addHelpText('after', '\nExample:\n  $ lllm session 019a4f3e-5d')
    .action(
      act(async (shell, id: string, options: ShowSessionOptions) => {
        const { showSession } = await import('./show-session.ts')
        return showSession(shell, id, options)
      }),
    )
}
