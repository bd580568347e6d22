/**
 * What a promise comes to, unless that takes too long: then it rejects, and nobody waits for the promise any more.
 *
 * @param timeoutMs At most 2^31 - 1.
 * @param tooLate Makes the error that it rejects with then.
 */
export function inTime<Value>(value: Promise<Value>, timeoutMs: number, tooLate: () => Error): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate()), timeoutMs)
    Promise.resolve(value).then(
      (kept) => {
        clearTimeout(timer)
        resolve(kept)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
