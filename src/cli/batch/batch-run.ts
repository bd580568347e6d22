import { LllmError } from '../../domain/errors.ts'
import { openStopScope, type StopScope } from '../../domain/stop.ts'
import { harmlessLines } from '../display-text.ts'
import type { ExitCode } from '../exit-code.ts'
import { type Interrupts, isSignal, type Stage, withInterrupts } from '../interrupts.ts'
import { Screen } from '../run/live-view-screen.ts'
import { judgeTags, openRuntime, warnIfSimulated } from '../run/run-runtime.ts'
import type { Shell } from '../shell.ts'
import { write } from '../write.ts'
import type { BatchFlags } from './batch-command.ts'
import { hashOfWork } from './batch-line.ts'
import { lockOut, type Unlock } from './batch-lock.ts'
import { inspectOut, type OutFile, type Sink } from './batch-out.ts'
import { exitCodeFor, reportBatch } from './batch-report.ts'
import { judgeTasks, readTasks } from './batch-tasks.ts'
import { workThrough } from './batch-work.ts'
import { openProgressView, Progress } from './progress.ts'

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
  const beGentle: Stage = (interruption) => {
    if (isSignal(interruption))
      void screen.say('lllm: No more tasks are started; those under way end. Ctrl-C once more cancels them.')
    drain.stop('cancelled')
  }
  const beFirm: Stage = (interruption) => {
    if (isSignal(interruption)) void screen.say('lllm: Cancelling. Ctrl-C once more ends at once.')
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

export interface Batch {
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
  const stopPrinting = shell.onPrint((text) => void screen.say(text))
  let unlock: Unlock | undefined
  try {
    const { engine } = runtime
    const tactic = engine.find(given.tactic)
    const tasks = await readTasks(shell, file, signal)
    const config = flags.config === undefined ? {} : { config: flags.config }
    const judged = await judgeTasks({ engine, tactic, ...config }, tasks, signal)
    await warnIfSimulated(judged.config, screen)
    const workHash = hashOfWork(tactic, judged.config)
    if (flags.out !== undefined) unlock = await lockOut(shell, flags.out)
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
    await reportBatch(given, progress, stop)
    return exitCodeFor(progress, stop, interrupts)
  } finally {
    stopPrinting()
    await unlock?.()
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
      if (stdout.isTTY !== true) return write(stdout, line)
      screen.clear()
      await write(stdout, harmlessLines(line))
    },
    close: async () => {},
  }
}
