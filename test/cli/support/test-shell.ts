import { EventEmitter } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { runCommandLine } from '../../../src/cli/command-line.ts'
import type { Interruption, Output, Shell } from '../../../src/cli/shell.ts'
import { environmentOf, projectFolder, type ServiceSpec } from '../../e2e/support/service.ts'

export interface ShellSpec extends ServiceSpec {
  /** What is piped in. Left out: nothing, and its end at once; on a terminal, nothing and no end. */
  readonly stdin?: string | Readable
  /** Whether all streams are a terminal (but a stdin that is given), or which of the outputs are. Default: none. */
  readonly terminal?: boolean | 'stdout' | 'stderr'
  /** The width of the terminal. Default 80. */
  readonly columns?: number
}

export interface TestShell extends Shell {
  readonly stdout: CollectedOutput
  readonly stderr: CollectedOutput
  /** Ctrl-C, or something else that ends commands. Gives how many listened. */
  interrupt(interruption?: Interruption): number
  /** Prints as the code of a tactic does. */
  print(text: string): void
}

/** A stream that keeps what is written to it. */
export class CollectedOutput extends Writable implements Output {
  readonly isTTY: boolean
  /** Only a terminal has a width. */
  columns?: number
  text = ''
  readonly #changes = new EventEmitter()

  constructor(isTTY: boolean, columns: number) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
    if (isTTY) this.columns = columns
    this.#changes.setMaxListeners(0)
  }

  /** Resolves once the text that was written so far fits. It has no limit of its own: the test's holds. */
  async until(fits: RegExp | ((text: string) => boolean)): Promise<string> {
    const isThere = () => (fits instanceof RegExp ? fits.test(this.text) : fits(this.text))
    while (!isThere()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#changes.once('change', resolve)
      await promise
    }
    return this.text
  }

  override _write(chunk: string | Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    this.#changes.emit('change')
    done()
  }
}

/** A shell for commands that are run in this process: its environment and folder are those of a spec, and nothing else. */
export function createTestShell(spec: ShellSpec = {}): TestShell {
  const { stdin, terminal = false, columns = 80, folder = projectFolder } = spec
  const signals = new EventEmitter()
  const isTerminal = (stream: 'stdout' | 'stderr') => terminal === true || terminal === stream
  const stderr = new CollectedOutput(isTerminal('stderr'), columns)
  let print: (text: string) => void = (text) => void stderr.write(text)
  return {
    env: environmentOf(spec),
    folder,
    stdin: openStdin(stdin, terminal === true),
    stdout: new CollectedOutput(isTerminal('stdout'), columns),
    stderr,
    onInterrupt(listener) {
      signals.on('interrupt', listener)
      return () => void signals.off('interrupt', listener)
    },
    interrupt(interruption = 'SIGINT') {
      const count = signals.listenerCount('interrupt')
      signals.emit('interrupt', interruption)
      return count
    },
    onPrint(listener) {
      const before = print
      print = listener
      return () => {
        print = before
      }
    },
    print: (text) => print(text),
  }
}

/** Runs a command in this process. Gives its exit code and all that it wrote. */
export async function runLllm(args: readonly string[], spec: ShellSpec | TestShell = {}) {
  const shell = 'onInterrupt' in spec ? spec : createTestShell(spec)
  const code = await runCommandLine(args, shell)
  return { code, stdout: shell.stdout.text, stderr: shell.stderr.text }
}

function openStdin(given: ShellSpec['stdin'], terminal: boolean): Shell['stdin'] {
  if (given === undefined) return terminal ? Object.assign(new PassThrough(), { isTTY: true }) : Readable.from([])
  return typeof given === 'string' ? Readable.from([Buffer.from(given)]) : given
}
