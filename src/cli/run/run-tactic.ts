import { openStopScope } from '../../domain/stop.ts'
import type { Outcome } from '../../engine/engine.ts'
import { type ExitCode, exitCodeOf, exitCodes } from '../exit-code.ts'
import { type Interrupts, isSignal, type Stage, withInterrupts } from '../interrupts.ts'
import type { Shell } from '../shell.ts'
import { openLiveView } from './live-view.ts'
import { Screen } from './live-view-screen.ts'
import type { RunFlags } from './run-command.ts'
import { tellEnd, tellError, writeResult } from './run-report.ts'
import { judgeTags, openRuntime, warnIfSimulated } from './run-runtime.ts'
import { printReplies } from './run-stream.ts'
import { findTaskText, prepareText, type ReadTaskText } from './run-task.ts'

/** Calls a tactic once. Ctrl-C cancels the call, which is stored as cancelled; a second one waits for nothing. */
export async function runTactic(
  shell: Shell,
  tactic: string,
  given: string | undefined,
  flags: RunFlags,
): Promise<ExitCode> {
  const readText = findTaskText(given, shell)
  const tags = judgeTags(flags.tag)
  const screen = new Screen(shell)
  const scope = openStopScope([])
  const cancel: Stage = (interruption) => {
    if (isSignal(interruption)) void screen.say('lllm: Cancelling. Ctrl-C once more ends at once.')
    scope.stop('cancelled')
  }
  return withInterrupts(shell, [cancel], async (interrupts) => {
    const work = { shell, screen, tactic, readText, flags: { ...flags, tag: tags }, signal: scope.signal, interrupts }
    try {
      return await callOnce(work)
    } catch (error) {
      // Nothing was begun: how the waiting ended is of no interest.
      if (scope.signal.aborted && error === scope.signal.reason) return interrupts.exitCode
      throw error
    }
  })
}

interface Work {
  readonly shell: Shell
  readonly screen: Screen
  readonly tactic: string
  readonly readText: ReadTaskText
  readonly flags: RunFlags
  readonly signal: AbortSignal
  readonly interrupts: Interrupts
}

async function callOnce(work: Work): Promise<ExitCode> {
  const { shell, screen, flags, signal, interrupts } = work
  const { runtime, settings } = await openRuntime(shell, screen, signal)
  const stopPrinting = shell.onPrint((text) => void screen.say(text))
  try {
    const { engine } = runtime
    const tactic = engine.find(work.tactic)
    const call = await prepareText(engine, tactic, await work.readText(signal), flags.config)
    await warnIfSimulated(call.config, screen)
    const follower = openFollower(work)
    const outcome = await engine.execute(call, {
      signal,
      timeoutMs: flags.timeoutMs ?? settings.timeoutMs,
      ...(flags.budget === undefined ? {} : { budgetUsd: flags.budget }),
      ...(flags.tag === undefined ? {} : { tags: flags.tag }),
      ...(follower === undefined ? {} : { emit: follower.emit }),
    })
    await follower?.end()
    await report(work, outcome)
    if (outcome.ok) return exitCodes.done
    const isInterrupted = interrupts.count > 0 && outcome.error.code === 'cancelled'
    return isInterrupted ? interrupts.exitCode : exitCodeOf(outcome.error.code)
  } finally {
    stopPrinting()
    await runtime.close()
  }
}

/** Whoever follows the call, if anybody does: only then are replies streamed from the provider. */
function openFollower({ shell, screen, tactic, flags }: Work) {
  if (flags.stream === true) return printReplies(shell.stderr)
  return screen.isLive ? openLiveView(screen, tactic, Date.now) : undefined
}

/** The result is written at last: on a terminal it stands below everything else. */
async function report({ shell, screen, flags }: Work, outcome: Outcome): Promise<void> {
  if (!outcome.ok) await screen.say(`lllm: ${tellError(outcome.error, shell.env)}`)
  await screen.say(tellEnd(outcome.session))
  await writeResult(shell.stdout, outcome, flags)
}
