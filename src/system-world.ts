import { randomUUIDv7 } from 'node:crypto'
import { timerMaxMs, type World } from './domain/clock.ts'

/** The real time, real chance and real ids. */
export const systemWorld: World = {
  newId: () => randomUUIDv7(),
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
