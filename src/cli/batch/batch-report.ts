import { costUsd } from '../../domain/cost.ts'
import { isLllmError } from '../../domain/errors.ts'
import { harmless, harmlessText } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Interrupts } from '../interrupts.ts'
import { tellCount } from '../look/figures.ts'
import { writeJson } from '../write.ts'
import type { BatchFlags } from './batch-command.ts'
import type { Batch } from './batch-run.ts'
import type { BatchStop } from './batch-work.ts'
import { type Progress, tellSums } from './progress.ts'

/** Says what came of a batch, and how to go on with it where that makes sense. */
export async function reportBatch({ shell, screen, ...given }: Batch, progress: Progress, stop: BatchStop) {
  const { flags } = given
  const { counts, earlier, total, cost } = progress
  if (stop.unwritten !== undefined) await screen.say(`lllm: ${tellUnwritten(stop)}`)
  if (stop.budget !== undefined)
    await screen.say(`lllm: ${harmlessText(stop.budget.message)} No more tasks were started.`)
  await screen.say(tellSums(progress, Date.now()))
  if (stop.unwritten !== undefined || earlier + counts.success < total) {
    await screen.say(
      `lllm: ${flags.out === undefined ? 'With --out, a batch can be gone on with.' : tellResume(given)}`,
    )
  }
  if (flags.json === true) {
    await writeJson(shell.stdout, { total, done_before: earlier, counts, cost_usd: costUsd(cost) })
  }
}

function tellUnwritten({ unwritten, lostCount }: BatchStop): string {
  const reason = isLllmError(unwritten) ? unwritten.message : String(unwritten)
  const lost = lostCount > 0 ? `${tellCount(lostCount, 'result')} cannot be found there, but in the sessions.` : ''
  return harmlessText(`${reason} No more tasks were started. ${lost}`.trim())
}

/** The command that goes on with the same batch, with the same bounds. */
function tellResume({ tactic, file, flags }: Pick<Batch, 'tactic' | 'file' | 'flags'>): string {
  const { out = '', config, budget, tag = {}, maxWorkers, failFast } = flags
  const words = [
    ...['lllm', 'batch', tactic, file, '--out', out, '--resume'],
    ...wordsOf({ config, budget, 'max-workers': maxWorkers }),
    ...Object.entries(tag).flatMap(([key, value]) => ['--tag', `${key}=${value}`]),
    ...(failFast === true ? ['--fail-fast'] : []),
  ]
  return `To go on: ${words.map(quote).join(' ')}`
}

function wordsOf(options: Readonly<Record<string, BatchFlags['config' | 'budget']>>): readonly string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, `${value}`]))
}

/** As a shell takes it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${harmless(word).replaceAll("'", "'\\''")}'`
}

export function exitCodeFor({ counts }: Progress, { unwritten, budget }: BatchStop, interrupts: Interrupts): ExitCode {
  if (interrupts.count > 0) return interrupts.exitCode
  if (unwritten !== undefined) return exitCodes.failed
  if (budget !== undefined) return exitCodes.limited
  return counts.failure + counts.cancelled + counts.skipped > 0 ? exitCodes.failed : exitCodes.done
}
