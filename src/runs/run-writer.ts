import type { Clock } from '../domain/clock.ts'
import { isLllmError } from '../domain/errors.ts'
import type { EngineEvent } from '../domain/event.ts'
import type { JournalEntry, JournalWriter } from '../domain/journal.ts'
import type { RunLease } from '../domain/run.ts'
import type { RunHistory, RunStore } from '../domain/run-store.ts'
import { HeldDeltas } from './held-deltas.ts'
import { RunEventLog } from './run-event-log.ts'
import { untilStored } from './until-stored.ts'

/** What happens is stored within this time, if not earlier together with a call. */
const flushWithinMs = 100

/** Stores what happens in one attempt, in the order in which it happens: one write after the other, each with all that has come meanwhile. */
export interface RunWriter extends JournalWriter {
  /** Takes an event. While much waits to be stored it returns a promise of room, which never rejects. */
  emit(event: EngineEvent): void | Promise<void>
  /** Resolves when everything has been stored. Rejects as `write`, and with `store-unavailable` once it was given up. */
  flush(): Promise<void>
  /** The number for one more event, which somebody else stores. */
  nextSeq(): number
}

export interface RunWriterParts {
  readonly store: Pick<RunStore, 'write'>
  readonly clock: Clock
  readonly lease: RunLease
  readonly history: Pick<RunHistory, 'events' | 'lastSeq'>
  /** What is stored of an event. */
  keep(event: EngineEvent): EngineEvent
  /** How much of the text of a reply that goes on can be kept by itself. */
  toldLength(text: string): number
  /** Is told as soon as the store says that another process works on the run. */
  onFenced(): void
  /** Aborts when what could not be stored is given up. */
  readonly abandoned: AbortSignal
}

export function openRunWriter(parts: RunWriterParts): RunWriter {
  const { store, clock, lease, history, onFenced, abandoned } = parts
  const log = new RunEventLog(history)
  const held = new HeldDeltas(parts.toldLength)
  let entries: JournalEntry[] = []
  let writing: Promise<void> | undefined
  let next: Promise<void> | undefined
  let isFlushDue = false

  function addAll(events: readonly EngineEvent[]) {
    for (const event of events) log.add(parts.keep(event))
  }

  async function storeAll() {
    const write = { journal: entries, events: log.take() }
    entries = []
    if (write.journal.length === 0 && write.events.length === 0) return
    try {
      await untilStored(() => store.write(lease, write), clock, abandoned)
    } catch (error) {
      if (isLllmError(error) && error.code === 'run-fenced') onFenced()
      throw error
    }
  }

  /** The write after the one under way. All that come before it begins share it. */
  function writeNext(): Promise<void> {
    next ??= (writing ?? Promise.resolve()).then(begin, begin)
    return next
  }

  function begin(): Promise<void> {
    next = undefined
    writing = storeAll().finally(() => (writing = undefined))
    return writing
  }

  /** Nobody waits for it: a failure is told to whoever writes next. */
  function flushSoon() {
    if (isFlushDue) return
    isFlushDue = true
    clock.sleep(flushWithinMs, abandoned).then(
      () => {
        isFlushDue = false
        if (!log.isEmpty) writeNext().catch(() => undefined)
      },
      () => undefined,
    )
  }

  return {
    write(added) {
      entries.push(...added)
      return writeNext()
    },
    emit(event) {
      addAll(held.take(event))
      if (log.isFull) return writeNext().catch(() => undefined)
      if (!log.isEmpty) flushSoon()
    },
    async flush() {
      addAll(held.rest())
      await writeNext()
    },
    nextSeq: () => log.nextSeq(),
  }
}
