/** A timer that is set for longer than this goes off at once. */
const timerMaxMs = 2 ** 31 - 1

/** A signal that follows the caller's, and aborts by itself, with a reason of its own, when the time is up. */
export function openSignal(parent: AbortSignal | undefined, durationMs: number | undefined, reason: () => Error) {
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
