import { costUsd } from '../domain/cost.ts'
import { isLllmError, LllmError } from '../domain/errors.ts'
import { openStopScope, type StopScope } from '../domain/stop.ts'
import type { BatchFlags } from './batch-command.ts'
import { hashOfWork } from './batch-line.ts'
import { inspectOut, type OutFile, type Sink } from './batch-out.ts'
import { judgeTasks, readTasks } from './batch-tasks.ts'
import { type BatchStop, workThrough } from './batch-work.ts'
import { harmless } from './display-text.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import { Screen } from './live-view-screen.ts'
import { openProgressView, Progress, tellSums } from './progress.ts'
import { type Interrupts, withInterrupts } from './run-interrupts.ts'
import { judgeTags, openRuntime, warnIfSimulated } from './run-runtime.ts'
import type { Shell } from './shell.ts'
import { write, writeJson } from './write.ts'

/** Calls a tactic for each line of a file. Ctrl-C lets the calls under way end; a second one cancels them. */
export async function runBatchCommand(
  shell: Shell,
  tactic: string,
  file: string,
  flags: BatchFlags,
): Promise<ExitCode> {
  refuseMisfits(flags)
  const tags = judgeTags(flags.tag)
  const screen = new Screen(shell)
  const drain = openStopScope([])
  const cancel = openStopScope([])
  const beGentle = () => {
    void screen.say('lllm: No more tasks are started; those under way end. Ctrl-C once more cancels them.')
    drain.stop('cancelled')
  }
  const beFirm = () => {
    void screen.say('lllm: Cancelling. Ctrl-C once more ends at once.')
    cancel.stop('cancelled')
  }
  return withInterrupts(shell, [beGentle, beFirm], async (interrupts) => {
    try {
      return await batch({ shell, screen, tactic, file, flags: { ...flags, tag: tags }, drain, cancel, interrupts })
    } catch (error) {
      // Nothing was begun: how the waiting ended is of no interest.
      if (drain.signal.aborted && error === drain.signal.reason) return interrupts.exitCode
      throw error
    }
  })
}

/** @throws LllmError `invalid-parameter` for options that make no sense together. */
function refuseMisfits({ out, resume, overwrite, json }: BatchFlags) {
  const alone = Object.entries({ resume, overwrite, json }).find(([, flag]) => flag === true)?.[0]
  if (out === undefined && alone !== undefined) {
    throw new LllmError('invalid-parameter', `--${alone} takes --out: without it the results are printed.`)
  }
  if (resume === true && overwrite === true) {
    throw new LllmError(
      'invalid-parameter',
      '--resume keeps what is in --out, and --overwrite does not: say one of them.',
    )
  }
}

interface Batch {
  readonly shell: Shell
  readonly screen: Screen
  readonly tactic: string
  readonly file: string
  readonly flags: BatchFlags
  readonly drain: StopScope
  readonly cancel: StopScope
  readonly interrupts: Interrupts
}

async function batch(given: Batch): Promise<ExitCode> {
  const { shell, screen, file, flags, drain, cancel, interrupts } = given
  const { signal } = drain
  const { runtime, settings } = await openRuntime(shell, screen, signal)
  try {
    const { engine } = runtime
    const tactic = engine.find(given.tactic)
    const tasks = await readTasks(shell, file, signal)
    const config = flags.config === undefined ? {} : { config: flags.config }
    const judged = await judgeTasks({ engine, tactic, ...config }, tasks, signal)
    await warnIfSimulated(judged.config, screen)
    const workHash = hashOfWork(tactic, judged.config)
    const out = await findOut(given, { work: workHash, tasks: judged.hashes })
    const todo = judged.hashes.flatMap((_hash, index) => (out?.earlier?.done[index] === 1 ? [] : [index]))
    const progress = new Progress(tasks.count, out?.earlier?.doneCount ?? 0, Date.now())
    const sink = out === null ? printTo(shell, screen) : await out.open()
    const view = openProgressView(screen, progress, Date.now)
    const stop = await workThrough({
      ...{ engine, tactic, tasks, todo, workHash, taskHashes: judged.hashes, flags, drain, cancel, sink, progress },
      timeoutMs: settings.timeoutMs,
      onEnded: () => view.update(),
    }).finally(() => view.end())
    await sink.close().catch((error: unknown) => {
      // Some disks tell only now that they are full.
      stop.unwritten ??= error
    })
    await report(given, progress, stop)
    return exitCodeFor(progress, stop, interrupts)
  } finally {
    await runtime.close()
  }
}

async function findOut(
  { shell, file, flags, drain }: Batch,
  wanted: Parameters<typeof inspectOut>[3],
): Promise<OutFile | null> {
  const { out } = flags
  return out === undefined ? null : inspectOut(shell, { ...flags, out }, file, wanted, drain.signal)
}

/** Where results and progress share a terminal, the bar makes room. */
function printTo({ stdout }: Shell, screen: Screen): Sink {
  return {
    async write(line) {
      if (stdout.isTTY === true) screen.clear()
      await write(stdout, line)
    },
    close: async () => {},
  }
}

async function report({ shell, screen, flags, file, tactic, interrupts }: Batch, progress: Progress, stop: BatchStop) {
  const { unwritten, budget } = stop
  if (unwritten !== undefined) {
    const reason = isLllmError(unwritten) ? unwritten.message : String(unwritten)
    await screen.say(`lllm: ${reason} No more tasks were started; what was paid for is in the sessions.`)
  }
  if (budget !== undefined) await screen.say(`lllm: ${budget.message} No more tasks were started.`)
  await screen.say(tellSums(progress, Date.now()))
  if (interrupts.count > 0 || unwritten !== undefined || progress.counts.skipped > 0) {
    const hint =
      flags.out === undefined
        ? 'With --out, a batch can be gone on with.'
        : `To go on: ${tellResume(tactic, file, flags.out, flags)}`
    await screen.say(`lllm: ${hint}`)
  }
  if (flags.json === true) {
    const { counts, earlier, total, cost } = progress
    await writeJson(shell.stdout, { total, done_before: earlier, counts, cost_usd: costUsd(cost) })
  }
}

/** The command that goes on with the same batch. */
function tellResume(tactic: string, file: string, out: string, { config }: BatchFlags): string {
  const further = config === undefined ? [] : ['--config', config]
  return ['lllm', 'batch', tactic, file, '--out', out, '--resume', ...further].map(quote).join(' ')
}

/** As a shell takes it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${harmless(word).replaceAll("'", "'\\''")}'`
}

function exitCodeFor({ counts }: Progress, { unwritten, budget }: BatchStop, interrupts: Interrupts): ExitCode {
  if (interrupts.count > 0) return interrupts.exitCode
  if (unwritten !== undefined) return exitCodes.failed
  if (budget !== undefined) return exitCodes.limited
  return counts.failure + counts.cancelled + counts.skipped > 0 ? exitCodes.failed : exitCodes.done
}
