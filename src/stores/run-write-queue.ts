import { LllmError } from '../domain/errors.ts'
import { gather } from '../domain/gather.ts'
import type { LeasedWrite } from './run-tables.ts'

/** Writes that may wait. Each run has one under way at most, so that this is about very many runs. */
const waitingMax = 10_000
/** What one transaction takes. */
const writesPerBatchMax = 200

/** Gathers what many runs write. A write rejects with `run-fenced` where its attempt is not under way any more. */
export function createRunWriteQueue(writeAll: (writes: readonly LeasedWrite[]) => Promise<readonly number[]>) {
  const gathering = gather(async (writes: readonly LeasedWrite[]) => {
    const fenced = new Set(await writeAll(writes))
    return writes.map((_, place) => fenced.has(place))
  }, writesPerBatchMax)

  return async (write: LeasedWrite): Promise<void> => {
    if (gathering.waitingCount >= waitingMax) {
      const message = 'More runs wait to be written than the store takes. Slow down, and check its disk.'
      throw new LllmError('store-unavailable', message)
    }
    if (await gathering.add(write)) throw runFenced()
  }
}

export function runFenced(): LllmError {
  return new LllmError('run-fenced', 'Another process works on the run, or it has ended.')
}
