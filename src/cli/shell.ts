import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../settings.ts'
import type { ExitCode } from './exit-code.ts'

/** A stream that may be a terminal. */
export interface Output extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** Why a command has to end: Ctrl-C, SIGTERM, or an output that takes nothing more, since its reader has gone or its disk is full. */
export type Interruption = 'SIGINT' | 'SIGTERM' | 'pipe-closed' | 'output-failed'

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
  /** Calls a listener for each interruption until the returned function is called. Where nobody listens, the process ends. */
  onInterrupt(listener: (interruption: Interruption) => void): () => void
  /** Hands a listener what the code of packages prints, until the returned function is called. It else goes to the standard error. */
  onPrint(listener: (text: string) => void): () => void
}

/** What a command does, once its arguments are known. Rejects with an LllmError, which ends it with its exit code. */
export type Run<Args extends readonly unknown[]> = (shell: Shell, ...args: Args) => Promise<ExitCode>
