import { type Command, Option } from 'commander'
import type { Act } from '../command-line.ts'
import { addSessionOptions, type SessionOptions } from './session-options.ts'

export interface ReportCostsOptions extends SessionOptions {
  readonly groupBy?: string
  readonly csv?: true
  readonly json?: true
}

export function addCosts(program: Command, act: Act) {
  const command = program
    .command('costs')
    .description('Tells what the sessions that LLLM_DATABASE keeps have cost, in groups.')
    .option(
      '--group-by <groups>',
      'up to 5 of tactic, tactic_id, agent, model, day and tag.KEY, with commas (default: "tactic")',
    )
  addSessionOptions(command)
    .addOption(new Option('--csv', 'the groups as CSV (RFC 4180), without a total').conflicts('json'))
    .option('--json', 'what GET /costs answers')
    .addHelpText('after', '\nExample:\n  $ lllm costs --group-by day,model --tag team=search --csv')
    .action(
      act(async (shell, options: ReportCostsOptions) => {
        const { reportCosts } = await import('./report-costs.ts')
        return reportCosts(shell, options)
      }),
    )
}
