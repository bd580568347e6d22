import type { Command } from 'commander'
import type { Act } from '../command-line.ts'
import { addSessionOptions, type SessionOptions } from './session-options.ts'

export interface ListSessionsOptions extends SessionOptions {
  readonly limit?: string
  readonly cursor?: string
  readonly json?: true
}

export function addSessions(program: Command, act: Act) {
  const command = program.command('sessions').description('Lists the sessions that LLLM_DATABASE keeps, newest first.')
  addSessionOptions(command)
    .option('--limit <count>', 'sessions of a page, 1 to 200 (default: 50)')
    .option('--cursor <cursor>', 'the next_cursor of the page before')
    .option('--json', 'what GET /sessions answers')
    .addHelpText('after', '\nExample:\n  $ lllm sessions --tactic essay --state failure --from 2026-11-01')
    .action(
      act(async (shell, options: ListSessionsOptions) => {
        const { listSessions } = await import('./list-sessions.ts')
        return listSessions(shell, options)
      }),
    )
}
