import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { exitCodeAfter } from './exit-code.ts'
import type { Interruption, Output, Shell } from './shell.ts'

/** The shell of this process. From then on, an output that takes nothing more ends the process, as it ends any other program. */
export function processShell(): Shell {
  const { stdin, stdout, stderr } = process
  const listeners = new Set<(interruption: Interruption) => void>()
  const interrupt = (interruption: Interruption) => {
    if (listeners.size === 0) process.exit(exitCodeAfter(interruption))
    for (const listener of listeners) listener(interruption)
  }
  watchOutput(stdout, interrupt, (reason) => {
    stderr.write(`lllm: The standard output cannot be written: ${reason}.\n`)
  })
  watchOutput(stderr, interrupt, () => {})
  return {
    env: process.env,
    folder: process.cwd(),
    stdin,
    stdout,
    stderr,
    onInterrupt(listener) {
      const signals = ['SIGINT', 'SIGTERM'] as const
      listeners.add(listener)
      for (const signal of signals) process.on(signal, listener)
      return () => {
        listeners.delete(listener)
        for (const signal of signals) process.off(signal, listener)
      }
    },
    onPrint: redirectConsole(stderr),
  }
}

/** Each write to an output that has failed fails again: that is told once. */
function watchOutput(output: Output, interrupt: (interruption: Interruption) => void, tell: (reason: string) => void) {
  let hasFailed = false
  output.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (hasFailed) return
    hasFailed = true
    if (code === 'EPIPE') return interrupt('pipe-closed')
    tell(code === 'ENOSPC' ? 'the disk is full' : message)
    interrupt('output-failed')
  })
}

/** What the code of a tactic prints for its author is no result, and has to make room for what is drawn. */
function redirectConsole(stderr: NodeJS.WriteStream): Shell['onPrint'] {
  const toStderr = (text: string) => void stderr.write(text)
  let print: (text: string) => void = toStderr
  const printed = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      print(text)
      done()
    },
  })
  const colorMode = stderr.isTTY === true && stderr.hasColors()
  globalThis.console = new Console({ stdout: printed, stderr: printed, colorMode })
  return (listener) => {
    print = listener
    return () => {
      print = toStderr
    }
  }
}
