export interface Times {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Asks so many times, `inFlight` at once, and tells how long the answers took. */
export async function timeAnswers(times: number, inFlight: number, ask: (index: number) => Promise<unknown>) {
  const takenMs: number[] = []
  let next = 0
  const askOn = async () => {
    while (next < times) {
      const index = next++
      const askedAtMs = performance.now()
      await ask(index)
      takenMs.push(performance.now() - askedAtMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, askOn))
  takenMs.sort((left, right) => left - right)
  const quantile = (share: number) => takenMs[Math.min(times - 1, Math.floor(times * share))] ?? 0
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs: quantile(1) } satisfies Times
}

export function printTimesHead(title: string) {
  printRow(
    `\n${title}`,
    ['p50 ms', 'p99 ms', 'max ms'].map((name) => name.padStart(10)),
  )
}

export function printTimes(name: string, { p50Ms, p99Ms, maxMs }: Times) {
  printRow(
    name,
    [p50Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1).padStart(10)),
  )
}

function printRow(name: string, cells: readonly string[]) {
  process.stdout.write(`${name.padEnd(name.startsWith('\n') ? 53 : 52)}${cells.join('')}\n`)
}
