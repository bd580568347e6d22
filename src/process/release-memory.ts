import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Gives the memory that the start of this thread needed back to the system: parsed sources, schemas that were only read
 * once. By itself V8 does so when memory is short, and keeps a thread 10 to 25 MB larger than it has to be until then.
 *
 * It takes some 20 ms, in which this thread does nothing else. Flags are those of the whole process: where another thread takes
 * this one back at the same moment, nothing is given back now, and V8 does it by itself later.
 */
export function releaseStartupMemory() {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as NodeJS.GCFunction | undefined
  setFlagsFromString('--no-expose-gc')
  collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
