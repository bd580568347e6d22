import { randomUUIDv7 } from 'node:crypto'
import { timerMaxMs, type World } from './domain/clock.ts'

/** The real time, real chance and real ids. */
export const systemWorld: World = {
  newId,
  clock: {
    now: () => Date.now(),
    random: () => Math.random(),
    sleep: (durationMs, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const onAbort = () => {
          clearTimeout(timer)
          reject(signal.reason)
        }
        const timer = setTimeout(
          () => {
            signal.removeEventListener('abort', onAbort)
            resolve()
          },
          Math.min(durationMs, timerMaxMs),
        )
        signal.addEventListener('abort', onAbort, { once: true })
      }),
  },
}

/**
 * A UUIDv7 as one text. Node puts it together of twenty, which V8 keeps, in seven times the memory, until somebody looks into it: here that
 * is whoever asks whether it is one.
 */
function newId(): string {
  const id = randomUUIDv7()
  return id.startsWith('-') ? newId() : id
}
