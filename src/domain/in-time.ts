/**
 * What a promise comes to, unless that takes too long: then it rejects, and nobody waits for the promise any more.
 *
 * @param timeoutMs At most 2^31 - 1.
 * @param tooLate Makes the error that it rejects with then.
 */
export async function inTime<Value>(value: Promise<Value>, timeoutMs: number, tooLate: () => Error): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooLate()), timeoutMs)
  })
  try {
    return await Promise.race([value, late])
  } finally {
    clearTimeout(timer)
  }
}
