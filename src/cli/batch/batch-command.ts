import type { Command } from 'commander'
import { batchWorkers } from '../../engine/batch.ts'
import type { Act } from '../command-line.ts'
import { addCallOptions, type CallFlags, wholeNumber } from '../run/run-options.ts'

export interface BatchFlags extends CallFlags {
  readonly out?: string
  readonly resume?: true
  readonly overwrite?: true
  readonly maxWorkers?: number
  readonly failFast?: true
  readonly json?: true
}

const examples = `
All lines are judged before the first task starts: a mistake in one of them, and nothing is spent. A task that fails does not
hold up the others. Each result is a line of JSON, written as soon as it is there:
  {"index": 0, "status": "success", "result": …, "session_id": "…", "cost_usd": …, "hash": "…"}
index counts the tasks from 0; lines without a task are passed over. Instead of a result, a task that was not successful
("failure", "cancelled") has an error with its code and message. What was never started has no line.

Ctrl-C starts no more tasks and waits for those under way; a second one cancels these too, a third waits for nothing.
--resume goes on where a batch ended, however that was: by Ctrl-C, a budget, a full disk or a kill. Tasks whose line in
--out is a success are not asked again; the others are, and the last line of an index is the one that counts. --budget is for
the tasks of one run. While a batch writes its --out no other may: out.jsonl.lock stands beside it, and means nothing once
the batch has ended.

Examples:
  lllm batch summarizer tasks.jsonl --out results.jsonl
  lllm batch summarizer tasks.jsonl --out results.jsonl --resume
  jq -c .text articles.json | lllm batch summarizer - --max-workers 16 | jq -r .result
  lllm batch code_review files.jsonl --out reviews.jsonl --budget 5 --fail-fast

Exit codes: 0 all done, 1 tasks failed or results could not be written, 2 called wrongly and nothing spent, 3 a budget
ended it, 130 Ctrl-C.`

export function addBatch(program: Command, act: Act) {
  const command = program
    .command('batch')
    .description('Calls a tactic of the nearest lllm.toml for each line of a file, several at a time.')
    .argument('<tactic>', 'its name, or package::name')
    .argument('<file>', 'JSON Lines: each line a task as JSON, a text too ("…"); - reads the standard input')
  addCallOptions(command, 'all the calls together')
    .option('--out <file>', 'append the results to this file, instead of printing them')
    .option('--resume', 'go on with an --out that is there: what is done in it is not done again')
    .option('--overwrite', 'replace an --out that is there')
    .option(
      '--max-workers <count>',
      `tasks under way at once, 1 to ${batchWorkers.max}; left out, ${batchWorkers.default}`,
      wholeNumber(1, batchWorkers.max),
    )
    .option('--fail-fast', 'end the batch with the first task that fails; those under way are cancelled')
    .option('--json', 'print the sums as JSON at the end; takes --out')
    .addHelpText('after', examples)
    .action(
      act(async (shell, tactic: string, file: string, flags: BatchFlags) => {
        const { runBatchCommand } = await import('./batch-run.ts')
        return runBatchCommand(shell, tactic, file, flags)
      }),
    )
}
