import type { Command } from 'commander'
import type { Act } from '../command-line.ts'
import { addCallOptions, type CallFlags, wholeNumber } from './run-options.ts'

export interface RunFlags extends CallFlags {
  readonly timeoutMs?: number
  readonly session?: true
  readonly stream?: true
  readonly json?: true
}

/** A day. */
const timeoutMsMax = 86_400_000

const examples = `
The result alone goes to the standard output; what is said beside it, to the standard error. There goes what the code of a
tactic prints with console, too. What it writes with process.stdout.write, or to the file descriptor, stands among the results.
The session is kept where LLLM_DATABASE says, as it is by the service.

Examples:
  lllm run summarizer "Bees dance to show the way to food."
  lllm run summarizer < article.txt > summary.txt
  lllm run code_review '{"language": "python", "code": "def mean(v): return sum(v) / len(v)"}'
  lllm run pipeline bees --stream --budget 0.05 --tag team=docs
  lllm run pipeline bees --session | jq .session.cost

Exit codes: 0 done, 1 the call failed, 2 called wrongly and nothing spent, 3 a budget or a deadline ended it, 130 Ctrl-C.`

export function addRun(program: Command, act: Act) {
  const command = program
    .command('run')
    .description('Calls a tactic of the nearest lllm.toml once, in this process, and prints its result.')
    .argument('<tactic>', 'its name, or package::name')
    .argument(
      '[task]',
      'the task: text as it is where the tactic takes a string, otherwise JSON; - or nothing reads it from a pipe',
    )
  addCallOptions(command, 'the call')
    .option(
      '--timeout-ms <ms>',
      `milliseconds that the call may take, 1 to ${timeoutMsMax}, instead of LLLM_TIMEOUT_MS`,
      wholeNumber(1, timeoutMsMax),
    )
    .option('--stream', "print the models' replies on the standard error as they come")
    .option('--session', 'print JSON with the whole session: result, session_id, cost_usd, session')
    .option('--json', 'print JSON: result, session_id, cost_usd; of a failed call error, session_id, cost_usd')
    .addHelpText('after', examples)
    .action(
      act(async (shell, tactic: string, task: string | undefined, flags: RunFlags) => {
        const { runTactic } = await import('./run-tactic.ts')
        return runTactic(shell, tactic, task, flags)
      }),
    )
}
