import { LllmFault } from './fault.ts'
import type { Reply } from './reply.ts'

/** An answer that comes piece by piece, and ends with something else: what its reader gets, and what is left at the end. */
export interface LiveAnswer<Part, End> extends AsyncIterable<Part> {
  /** What came last. Asking for it without a loop reads to the end; within the loop it has not come yet. */
  readonly end: Promise<End>
}

/** What some bytes of an answer complete: parts, and after them perhaps the end, or the failure that it ends with. */
export interface Taken<Part, End> {
  readonly parts: readonly Part[]
  readonly end?: { readonly value: End } | { readonly failure: Error }
}

/** What to make of the bytes of an answer. */
export interface LiveReading<Part, End> {
  open(): Promise<Reply>
  /** @throws RangeError when a part is too long. */
  take(bytes: Uint8Array): Taken<Part, End>
}

/**
 * Begins to read when somebody does: by a loop or by asking for the end. It never ends without a word: an answer that breaks
 * off is a fault. Leaving the loop closes the socket, by which the service cancels the work.
 */
export function openLiveAnswer<Part, End>(reading: LiveReading<Part, End>): LiveAnswer<Part, End> {
  const end = Promise.withResolvers<End>()
  // Whoever loops hears of a failure there.
  end.promise.catch(() => undefined)
  let isTaken = false

  async function* read(): AsyncGenerator<Part, void, undefined> {
    try {
      const reply = await reading.open()
      // Leaving this loop closes the reply.
      for await (const bytes of reply.pieces()) {
        const taken = readable(() => reading.take(bytes), reply.status)
        yield* taken.parts
        if (taken.end === undefined) continue
        if ('failure' in taken.end) throw taken.end.failure
        end.resolve(taken.end.value)
        return
      }
      throw new LllmFault('protocol', 'The answer broke off before its end.', { status: reply.status })
    } catch (error) {
      end.reject(error)
      throw error
    } finally {
      // Has no effect where the end has come, or a failure.
      end.reject(new LllmFault('left', 'The answer was not read to its end, so that the call was cancelled.'))
    }
  }

  async function readAll() {
    for await (const _part of start());
  }

  function start() {
    if (isTaken) throw new TypeError('An answer that comes piece by piece is read once.')
    isTaken = true
    return read()
  }

  return {
    [Symbol.asyncIterator]: start,
    get end() {
      if (!isTaken) readAll().catch(() => undefined)
      return end.promise
    },
  }
}

/** What bytes come to. @throws LllmFault `protocol` when a part of them is too long. */
export function readable<Value>(read: () => Value, status: number): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) throw new LllmFault('protocol', error.message, { status, cause: error })
    throw error
  }
}
