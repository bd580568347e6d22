import { type ErrorCode, type ErrorData, LllmError } from '../domain/errors.ts'
import type { JournalEntry, JournalState } from '../domain/journal.ts'
import type { Amounts } from '../domain/limits.ts'
import type { RemoteOutcome, RemoteTarget } from '../domain/remote.ts'
import type { Session } from '../domain/session.ts'
import { fromTakenRecord, type TakenRecord, toTakenRecord } from './model-record.ts'
import type { CallJournal } from './run-journal.ts'

/** What the journal knows of one call of a remote tactic. */
interface RemoteRecord extends RemoteCall {
  /** Null while it is under way. */
  readonly answer: AnswerRecord | null
  /** The same call of earlier attempts: lost when their process died, or stopped. They were paid for all the same. */
  readonly earlier: readonly RemoteCall[]
}

interface RemoteCall {
  /** Of one under way: that of a call of which nobody ever hears. */
  readonly session: Session
  /** What it counts for against limits. While it is under way: all that was set aside for it. */
  readonly taken: TakenRecord
}

/** What whoever has called is told. */
type RemoteAnswer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: LllmError }

type AnswerRecord =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly data: ErrorData }

/** The place of one call of a remote tactic in the journal of a run. */
export interface RemoteKeeper {
  /** What it came to in an earlier attempt, which got it to its end. */
  readonly past: RemoteOutcome | undefined
  /** What earlier attempts took for it, counted against the limits of this one. */
  readonly takenBefore: readonly Amounts[]
  /** Resolves when the journal knows that it begins. Of a call of which nobody ever hears, it is told as `lost`. */
  begin(lost: Session, reserved: Amounts): Promise<void>
  end(answer: RemoteAnswer, session: Session, taken: Amounts, wasStopped: boolean): Promise<void>
}

export function openRemoteKeeper({ run, scope }: CallJournal, target: RemoteTarget, task: unknown): RemoteKeeper {
  const { url, tactic, config = null } = target
  const slot = run.open(scope, 'remote', [url, tactic, config, task])
  const known = slot.past && readRemoteRecord(slot.past)
  const past = known && (slot.past?.state === 'done' || slot.past?.state === 'failed') ? toOutcome(known) : undefined
  const before = known === undefined ? [] : allCalls(known)
  const earlier = past === undefined ? before : before.slice(0, -1)
  run.leaveBehind(earlier.map(({ session }) => session))
  return {
    past,
    takenBefore: before.map(({ taken }) => fromTakenRecord(taken)),
    async begin(session, reserved) {
      const record: RemoteRecord = { answer: null, session, taken: toTakenRecord(reserved), earlier }
      await slot.write('begun', record)
    },
    async end(answer, session, taken, wasStopped) {
      const record: RemoteRecord = { answer: toAnswerRecord(answer), session, taken: toTakenRecord(taken), earlier }
      const written = slot.write(stateOf(answer, wasStopped), record)
      // A stop waits for nobody. Whoever ends the attempt waits until all of it is written.
      if (wasStopped) written.catch(() => undefined)
      else await written
    },
  }
}

/** The sessions of all calls that were paid for under one key. */
export function sessionsOf(entry: JournalEntry): readonly Session[] {
  return allCalls(readRemoteRecord(entry)).map(({ session }) => session)
}

/** A failure is used again as it is; that somebody stopped the call says nothing of what it would have come to. */
function stateOf({ ok }: RemoteAnswer, wasStopped: boolean): JournalState {
  if (wasStopped) return 'spent'
  return ok ? 'done' : 'failed'
}

function readRemoteRecord({ record }: JournalEntry): RemoteRecord {
  return JSON.parse(record) as RemoteRecord
}

function allCalls({ earlier, session, taken }: RemoteRecord): readonly RemoteCall[] {
  return [...earlier, { session, taken }]
}

function toAnswerRecord(answer: RemoteAnswer): AnswerRecord {
  if (answer.ok) return { ok: true, result: answer.result }
  const { code, message, data } = answer.error
  return { ok: false, code, message, data }
}

function toOutcome({ answer, session }: RemoteRecord): RemoteOutcome | undefined {
  if (answer === null) return undefined
  if (answer.ok) return { ok: true, result: answer.result, session }
  const error = new LllmError(answer.code, answer.message, answer.data)
  return { ok: false, error, session, sessionId: session.id, cost: session.cost }
}
