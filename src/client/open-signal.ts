/** A timer that is set for longer than this goes off at once. */
const timerMaxMs = 2 ** 31 - 1

interface OpenSignal {
  readonly signal: AbortSignal
  /** Lets go of the caller's signal and of the timer. */
  dispose(): void
}

/** A signal that follows the caller's, and aborts by itself, with a reason of its own, when the time is up. */
export function openSignal(
  parent: AbortSignal | undefined,
  durationMs: number | undefined,
  reason: () => Error,
): OpenSignal {
  const controller = new AbortController()
  const onAbort = () => controller.abort(parent?.reason)
  if (parent?.aborted) onAbort()
  else parent?.addEventListener('abort', onAbort)
  const onTimeout = () => controller.abort(reason())
  const timer = durationMs === undefined ? undefined : setTimeout(onTimeout, Math.min(durationMs, timerMaxMs))
  return {
    signal: controller.signal,
    dispose() {
      if (timer !== undefined) clearTimeout(timer)
      parent?.removeEventListener('abort', onAbort)
    },
  }
}
