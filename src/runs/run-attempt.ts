import type { KeyJudge } from '../domain/authenticator.ts'
import type { Clock } from '../domain/clock.ts'
import { isLllmError } from '../domain/errors.ts'
import type { JournalEntry } from '../domain/journal.ts'
import type { KeptRun, Run, RunLease } from '../domain/run.ts'
import type { RunEnd, RunHistory, RunStore } from '../domain/run-store.ts'
import { openStopScope } from '../domain/stop.ts'
import { type ExecutedRun, executeRun, type RunEngine } from './execute-run.ts'
import { contentOfRun, keptEvent, keptJournal, keptRequest } from './run-content.ts'
import { endEvent, outcomeOf, withCancelReason, withoutResult } from './run-session.ts'
import { openRunWriter, type RunWriter } from './run-writer.ts'
import { untilStored } from './until-stored.ts'

export interface AttemptParts {
  readonly engine: RunEngine
  readonly store: RunStore
  readonly keys: KeyJudge
  readonly clock: Clock
  readonly attemptsMax: number
}

/** `released`: it is started again, here or elsewhere. `fenced`: another process works on it. */
export type AttemptEnd = 'ended' | 'released' | 'fenced'

/** One attempt of one run, under way in this process. */
export interface RunAttempt {
  readonly lease: RunLease
  /** Resolves when the attempt is over, and the store knows as much of it as it has to. Never rejects. */
  readonly ended: Promise<AttemptEnd>
  /** Ends the run as cancelled. */
  cancel(reason: string): void
  /** Stops, so that the run is started again and goes on from its finished calls. */
  release(): void
  /** Stops, and writes nothing any more: the run belongs to somebody else. */
  fence(): void
  /** Gives up what the store does not take: the process is about to end. */
  abandon(): void
}

/** Works on a run until it ends or is taken away. */
export function startAttempt(parts: AttemptParts, run: KeptRun): RunAttempt {
  const { store, keys, clock, engine } = parts
  const content = contentOfRun(engine, run)
  const lease: RunLease = { runId: run.id, attempt: run.attempt }
  const scope = openStopScope([])
  const abandoned = new AbortController()
  let { cancelReason } = run
  let isFenced = false

  // Nobody worked on it when somebody wanted it to be cancelled: it is started to be ended, with what it has cost so far.
  if (cancelReason !== null) scope.stop('cancelled')

  const stored = <Result>(write: () => Promise<Result>) => untilStored(write, clock, abandoned.signal)

  function cancel(reason: string) {
    cancelReason ??= reason
    scope.stop('cancelled')
  }

  function fence() {
    isFenced = true
    abandoned.abort()
    scope.stop('shutdown')
  }

  /** What was asked for with a key that holds no more is not begun, and what had begun is not taken up again. */
  async function judgeKey() {
    const { key, id, tenant } = run
    if (key === null || cancelReason !== null) return
    const refusal = await stored(() => keys.refusalOf(key.id))
    if (refusal === undefined) return
    const reason = `its key ${refusal}`
    await stored(() => store.of(tenant).cancel(id, reason))
    cancel(reason)
  }

  async function work(): Promise<AttemptEnd> {
    await judgeKey()
    const history = await stored(() => historyOf(store, run))
    const writer = openRunWriter({
      store,
      clock,
      lease,
      history,
      keep: (event) => keptEvent(event, content, engine.content),
      toldLength: engine.content.toldLength,
      onFenced: fence,
      abandoned: abandoned.signal,
    })
    const executed = await executeRun(parts, run, { history, writer, signal: scope.signal, content })
    if (isFenced) return 'fenced'
    await writer.flush()
    if (executed.session.endReason === 'shutdown') {
      await stored(() => store.release(lease))
      return 'released'
    }
    await finish(executed, writer)
    return 'ended'
  }

  async function finish({ session, result, journal }: ExecutedRun, writer: RunWriter) {
    const told = withCancelReason(session, cancelReason)
    const request = keptRequest(run.request, content, engine.content)
    const left = session.state === 'success' ? journal : await journalOf(journal)
    const end = (ended: typeof told): RunEnd => {
      const outcome = outcomeOf(ended, result)
      const event = { seq: writer.nextSeq(), event: endEvent(ended, outcome) }
      return { session: ended, outcome, content, event, journal: left, ...(request === undefined ? {} : { request }) }
    }
    try {
      await stored(() => store.finish(lease, end(told)))
    } catch (error) {
      // It cannot be told what the run came to; that it came to an end has to be.
      if (!isLllmError(error) || error.data['isPermanent'] !== true) throw error
      await stored(() => store.finish(lease, end(withoutResult(told))))
    }
  }

  /** Of a run that may be resumed, what it may go on from: changes of the journal, and what may not be kept of it. */
  async function journalOf(changes: readonly JournalEntry[]): Promise<readonly JournalEntry[]> {
    if (content === 'none' || !engine.content.redacts(content)) return changes
    const history = await stored(() => store.history(run.id))
    const all = new Map([...history.journal, ...changes].map((entry) => [entry.key, entry]))
    return [...changes, ...keptJournal([...all.values()], content, engine.content)]
  }

  /** Whatever else goes wrong: what was journalled is there, and whoever takes the run over goes on from it. */
  async function afterAll(error: unknown): Promise<AttemptEnd> {
    if (isFenced || (isLllmError(error) && error.code === 'run-fenced')) return 'fenced'
    await stored(() => store.release(lease)).catch(() => undefined)
    return 'released'
  }

  return {
    lease,
    ended: work()
      .catch(afterAll)
      .finally(() => scope.dispose()),
    cancel,
    release: () => scope.stop('shutdown'),
    fence,
    abandon: () => abandoned.abort(),
  }
}

const noHistory: RunHistory = { journal: [], events: [], lastSeq: 0 }

/** The first attempt of a run has none before it. */
async function historyOf(store: Pick<RunStore, 'history'>, { id, attempt }: Run): Promise<RunHistory> {
  return attempt === 1 ? noHistory : store.history(id)
}
