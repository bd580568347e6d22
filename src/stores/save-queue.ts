import { setTimeout } from 'node:timers/promises'
import { LllmError } from '../domain/errors.ts'
import type { SessionRows } from './session-rows.ts'
import type { SaveRefusal } from './session-tables.ts'

/** Sessions that may wait to be written, and characters of their records together (half a GB at most). */
const waitingSessionsMax = 10_000
const waitingCharactersMax = 256 * 1024 * 1024
/** What one transaction takes. Larger ones gain nothing more and keep readers waiting. */
const batchSessionsMax = 256
const batchCharactersMax = 16 * 1024 * 1024

/**
 * From the start of one transaction to that of the next. A transaction costs as much CPU as several saves, and next to a
 * model's reply nobody notices the wait. A save that comes after a pause does not wait.
 */
const betweenBatchesMs = 3

interface WaitingSave {
  readonly rows: SessionRows
  readonly characters: number
  resolve(): void
  reject(error: unknown): void
}

/**
 * Gathers saves: what arrives while a batch is being written, or shortly after it, goes into the next one. A lone save
 * waits for nobody, and the more come, the more share a transaction and its sync.
 */
export function createSaveQueue(
  write: (batch: readonly SessionRows[]) => Promise<readonly SaveRefusal[]>,
  /** Settles a write that has ended, though the event loop has not come to it yet. Left out: it comes soon enough. */
  takeWritten = () => {},
) {
  let waiting: WaitingSave[] = []
  let waitingCharacters = 0
  let flushing: Promise<void> | undefined
  let lastBatchAtMs = Number.NEGATIVE_INFINITY

  async function flush() {
    // What is saved at this moment is written together.
    await undefined
    while (waiting.length > 0) {
      const waitMs = lastBatchAtMs + betweenBatchesMs - performance.now()
      // A full batch gains nothing by waiting for more.
      if (waitMs > 0 && waiting.length < batchSessionsMax) await setTimeout(waitMs)
      lastBatchAtMs = performance.now()
      await writeBatch(takeBatch())
    }
    flushing = undefined
  }

  function takeBatch(): readonly WaitingSave[] {
    let characters = 0
    let size = 0
    for (const save of waiting.slice(0, batchSessionsMax)) {
      characters += save.characters
      // One session is always taken, however large it is.
      if (size > 0 && characters > batchCharactersMax) break
      size += 1
    }
    const batch = waiting.slice(0, size)
    waiting = waiting.slice(size)
    waitingCharacters -= batch.reduce((sum, save) => sum + save.characters, 0)
    return batch
  }

  async function writeBatch(batch: readonly WaitingSave[]) {
    try {
      const refusals = await write(batch.map(({ rows }) => rows))
      // A promise settles once: what was rejected here is not resolved below.
      for (const { index, error } of refusals) batch[index]?.reject(error)
      for (const { resolve } of batch) resolve()
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return {
    /** Resolves when the session has been committed. */
    save(rows: SessionRows, characters: number): Promise<void> {
      if (waiting.length >= waitingSessionsMax || waitingCharacters + characters > waitingCharactersMax) {
        const message = 'More sessions wait to be written than the store takes. Slow down, and check its disk.'
        return Promise.reject(new LllmError('store-unavailable', message))
      }
      // Under load a turn of the event loop ends many calls: those of the last batch can be answered, and the next one written, within it.
      takeWritten()
      return new Promise((resolve, reject) => {
        waiting.push({ rows, characters, resolve, reject })
        waitingCharacters += characters
        flushing ??= flush()
      })
    },
    /** Resolves when nothing waits any more. Never rejects. */
    async drain(): Promise<void> {
      await flushing
    },
  }
}
