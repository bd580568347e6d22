import type { Clock } from '../domain/clock.ts'
import type { RunChange, RunStore } from '../domain/run-store.ts'
import { pollEveryMs } from './dispatcher-settings.ts'

/** Those who may wait for something at once. */
const listenersMax = 100_000

/** All who wait look again by themselves so often in a second, together: ten thousand that each did so once would be all that a store does. */
const looksPerSecondMax = 200

/** Waits for changes. One that comes between two waits is not missed. */
export interface ChangeListener {
  /** Resolves after a change since the wait before, after `timeoutMs`, or when the signal aborts. It never rejects. */
  next(timeoutMs: number, signal: AbortSignal): Promise<void>
  /** Ends a wait, as a change would. */
  wake(): void
  close(): void
}

/** What a listener waits for: work to start, a run to cancel, or anything new of one run. */
export type Topic = 'work' | 'cancel' | `run:${string}`

/** Tells whoever waits what has changed in the store. */
export interface ChangeHub {
  /** After how many ms without a change whoever waits looks again: changes can be missed. The more wait, the more seldom each looks. */
  readonly lookAgainMs: number
  listen(topic: Topic): ChangeListener
  close(): void
}

export function openChangeHub(store: Pick<RunStore, 'watch'>, clock: Clock): ChangeHub {
  const listeners = new Map<Topic, Set<() => void>>()
  let count = 0
  const stopWatching = store.watch((change) => {
    for (const wake of listeners.get(topicOf(change)) ?? []) wake()
  })

  return {
    get lookAgainMs() {
      return Math.max(pollEveryMs, (count * 1_000) / looksPerSecondMax)
    },
    listen(topic) {
      let wake: (() => void) | undefined
      let hasChanged = false
      const onChange = () => {
        hasChanged = true
        wake?.()
      }
      // Beyond the bound nobody is told: whoever waits looks again by itself, only later.
      const isHeard = count < listenersMax
      if (isHeard) {
        count++
        const others = listeners.get(topic) ?? new Set()
        listeners.set(topic, others.add(onChange))
      }
      return {
        async next(timeoutMs, signal) {
          if (!hasChanged && !signal.aborted) {
            const awake = new AbortController()
            const onAbort = () => awake.abort()
            wake = onAbort
            signal.addEventListener('abort', onAbort, { once: true })
            await clock.sleep(timeoutMs, awake.signal).catch(() => undefined)
            signal.removeEventListener('abort', onAbort)
            wake = undefined
          }
          hasChanged = false
        },
        wake: onChange,
        close() {
          const others = listeners.get(topic)
          if (others?.delete(onChange) !== true) return
          count--
          if (others.size === 0) listeners.delete(topic)
        },
      }
    },
    close: stopWatching,
  }
}

function topicOf(change: RunChange): Topic {
  return change.kind === 'run' ? `run:${change.runId}` : change.kind
}
