/**
 * Waits for work no longer than its signal lets it: work that does not heed the signal is left behind. Rejects as the work does, or with
 * the reason of the signal. Once that has aborted, nothing is begun.
 */
export function untilAborted<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
  if (signal.aborted) return Promise.reject(signal.reason)
  // No async function, as every call waits in it: it would keep twice as much.
  return new Promise((resolve, reject) => {
    // Authors who have no types may give something else.
    const underWay = Promise.resolve(work())
    const onAbort = () => {
      signal.removeEventListener('abort', onAbort)
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort)
    // The work may have aborted it by itself.
    if (signal.aborted) onAbort()
    underWay.then(
      (value) => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      (error: unknown) => {
        signal.removeEventListener('abort', onAbort)
        reject(error)
      },
    )
  })
}
