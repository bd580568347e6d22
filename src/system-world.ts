import { randomUUIDv7 } from 'node:crypto'
import type { World } from './domain/clock.ts'

/** The longest wait that a timer of Node can count, in ms. */
const timerMax = 2 ** 31 - 1

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
          Math.min(durationMs, timerMax),
        )
        signal.addEventListener('abort', onAbort, { once: true })
      }),
  },
}
