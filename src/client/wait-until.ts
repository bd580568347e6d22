import { LllmFault } from './fault.ts'
import { openSignal } from './open-signal.ts'
import { openPatience, pause } from './patience.ts'

export interface WaitOptions {
  /** Milliseconds to wait at the most. Then it rejects with an LllmFault of the kind `timeout`. Default: as long as it takes. */
  readonly timeoutMs?: number
  /** Its abort ends the wait, and changes nothing for what is waited for. */
  readonly signal?: AbortSignal
}

/** Looks begin no sooner after one another. */
const betweenLooksMs = 1_000

/** Looks at something until it is there. A service that is away meanwhile is waited for. */
export async function waitUntil<Value>(
  look: (signal: AbortSignal) => Promise<Value | undefined>,
  what: string,
  { timeoutMs, signal: parent }: WaitOptions,
): Promise<Value> {
  const isLate = () => new LllmFault('timeout', `${what} has not ended within ${timeoutMs} ms.`)
  const { signal, dispose } = openSignal(parent, timeoutMs, isLate)
  const patience = openPatience(signal)
  try {
    for (;;) {
      const beganAtMs = Date.now()
      try {
        const found = await look(signal)
        if (found !== undefined) return found
        patience.rewarded()
        await pause(Math.max(0, beganAtMs + betweenLooksMs - Date.now()), signal)
      } catch (error) {
        signal.throwIfAborted()
        await patience.endure(error)
      }
    }
  } finally {
    dispose()
  }
}
