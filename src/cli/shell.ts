import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../settings.ts'
import type { ExitCode } from './exit-code.ts'

/** A stream that may be a terminal. */
export interface Output extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** What a command is run in. Commands touch nothing of the process but this, so that a test can run them in its own. */
export interface Shell {
  readonly env: Environment
  /** The working directory. */
  readonly folder: string
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** For results alone: what a pipe is to get. */
  readonly stdout: Output
  /** For everything that is said beside the result. */
  readonly stderr: Output
  /** Calls a listener for each Ctrl-C, or SIGTERM, until the returned function is called. */
  onInterrupt(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void
}

/** What a command does, once its arguments are known. Rejects with an LllmError, which ends it with its exit code. */
export type Run<Args extends readonly unknown[]> = (shell: Shell, ...args: Args) => Promise<ExitCode>
