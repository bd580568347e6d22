import { Console } from 'node:console'
import { exitCodes } from './exit-code.ts'
import type { Shell } from './shell.ts'

/** The shell of this process. From then on, a reader that has gone ends the process, as it ends any other program. */
export function processShell(): Shell {
  const { stdin, stdout, stderr } = process
  for (const output of [stdout, stderr]) {
    output.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? exitCodes.pipeClosed : exitCodes.failed)
    })
  }
  // What the code of a tactic prints for its author is no result.
  globalThis.console = new Console(stderr, stderr)
  return {
    env: process.env,
    folder: process.cwd(),
    stdin,
    stdout,
    stderr,
    onInterrupt(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const
      for (const signal of signals) process.on(signal, listener)
      return () => {
        for (const signal of signals) process.off(signal, listener)
      }
    },
  }
}
