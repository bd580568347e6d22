import { LllmError } from '../domain/errors.ts'
import type { LeasedWrite } from './run-tables.ts'

/** Writes that may wait. Each run has one under way at most, so that this is about very many runs. */
const waitingMax = 10_000
/** What one transaction takes. */
const writesPerBatchMax = 200

interface WaitingWrite {
  readonly write: LeasedWrite
  resolve(): void
  reject(error: unknown): void
}

/**
 * Gathers what many runs write: what comes while one transaction is under way goes into the next one, in the order in which it came.
 */
export function createRunWriteQueue(writeAll: (writes: readonly LeasedWrite[]) => Promise<readonly number[]>) {
  let waiting: WaitingWrite[] = []
  let isWriting = false

  async function writeOn() {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting.slice(0, writesPerBatchMax)
      waiting = waiting.slice(writesPerBatchMax)
      await writeBatch(batch)
    }
    isWriting = false
  }

  async function writeBatch(batch: readonly WaitingWrite[]) {
    try {
      const fenced = new Set(await writeAll(batch.map(({ write }) => write)))
      for (const [place, { resolve, reject }] of batch.entries()) {
        if (fenced.has(place)) reject(runFenced())
        else resolve()
      }
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  return (write: LeasedWrite): Promise<void> => {
    if (waiting.length >= waitingMax) {
      const message = 'More runs wait to be written than the store takes. Slow down, and check its disk.'
      return Promise.reject(new LllmError('store-unavailable', message))
    }
    return new Promise((resolve, reject) => {
      waiting.push({ write, resolve, reject })
      if (!isWriting) void writeOn()
    })
  }
}

export function runFenced(): LllmError {
  return new LllmError('run-fenced', 'Another process works on the run, or it has ended.')
}
