import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** By then a start is over. */
const startMaxMs = 1_000

/** Does work that whoever waits for the start of this thread is not made to wait for, and for which it is not kept alive. */
export function afterStart(work: () => void) {
  setTimeout(work, startMaxMs).unref()
}

/** Collections after which V8 lets go of the code of a function that has not run meanwhile. */
const codeAge = { soon: 1, usual: 6 } as const

/**
 * Gives the memory that the start of this thread needed back to the system: parsed sources, schemas that were only read
 * once, the code of functions that will hardly run again. By itself V8 does so when memory is short, and keeps a thread 10 to 25 MB
 * larger than it has to be until then.
 *
 * It takes some 40 ms, in which this thread does nothing else. Flags are those of the whole process: where another thread takes
 * them back at the same moment, nothing is given back now, and V8 does it by itself later.
 */
export function releaseStartupMemory() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as NodeJS.GCFunction | undefined
  setFlagsFromString('--no-expose-gc')
  setFlagsFromString(`--bytecode-old-age=${codeAge.soon}`)
  for (let round = 0; round <= codeAge.soon; round++) {
    collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  }
  setFlagsFromString(`--bytecode-old-age=${codeAge.usual}`)
}

/** What a thread allocates is short-lived, and little of it at a time: its results are texts. */
const threadYoungMb = 8

/**
 * Keeps the young space of threads that are started from now on small. The flags that a service is started with are meant for the main thread,
 * in which calls wait; another one would only fill as much memory before it looks for what can be reused.
 */
export function keepThreadsSmall() {
  // The main thread has read them when it was made.
  setFlagsFromString('--min-semi-space-size=1')
  setFlagsFromString(`--max-semi-space-size=${threadYoungMb}`)
}
