import { write, writeSync } from 'node:fs'

/** Characters of lines that may wait to be written. Whoever reads more slowly than that misses some. */
const waitingMax = 16 * 1024 * 1024
/** An output that takes nothing at the moment is tried again after this. */
const retryMs = 20
/** From the end of a write to the next: each costs a turn of another thread, so that lines that come close together share one. */
const betweenWritesMs = 10
/** What is left when the process ends has so long to be taken. */
const endMaxMs = 1_000

/** Where a log goes, a line at a time. */
export interface LogOutput {
  /** Takes a line, with its end. Never waits, and never fails: nobody is held up by the log. */
  write(line: string): void
  /** Resolves when all lines so far are written or given up, and after a second at the latest. */
  flush(): Promise<void>
}

/**
 * Writes to a file descriptor while other work goes on. A disk that is full, or a reader that is slow, costs lines; a reader
 * that has gone costs all that follow. Neither ever keeps the process from ending.
 */
export function createLogOutput(fd: number): LogOutput {
  let waiting: string[] = []
  let waitingLength = 0
  let isWriting = false
  let pause: NodeJS.Timeout | undefined
  let isGone = false
  /** What the output did not take yet, until it is tried again. */
  let held: Buffer = Buffer.alloc(0)
  const onIdle: (() => void)[] = []

  function writeNext() {
    clearTimeout(pause)
    pause = undefined
    const text = take()
    isWriting = text !== ''
    if (isWriting) return writeFrom(Buffer.from(text), 0)
    for (const resolve of onIdle.splice(0)) resolve()
  }

  function onWritten() {
    if (onIdle.length > 0) return writeNext()
    isWriting = false
    pause = setTimeout(writeNext, betweenWritesMs).unref()
  }

  function writeFrom(bytes: Buffer, start: number) {
    write(fd, bytes, start, (error, count) => {
      if (error === null && start + count < bytes.length) return writeFrom(bytes, start + count)
      if (error !== null && isBusy(error)) return tryAgain(bytes.subarray(start))
      if (error?.code === 'EPIPE') isGone = true
      // After a part of a line the next one begins anew.
      if (error !== null && start > 0 && !isGone) waiting.unshift('\n')
      onWritten()
    })
  }

  function tryAgain(bytes: Buffer) {
    held = bytes
    const again = () => {
      held = Buffer.alloc(0)
      writeFrom(bytes, 0)
    }
    setTimeout(again, retryMs).unref()
  }

  function take(): string {
    const text = isGone ? '' : waiting.join('')
    waiting = []
    waitingLength = 0
    return text
  }

  // A write that is under way then is ended by the system.
  process.once('exit', () => writeRest(fd, Buffer.concat([held, Buffer.from(take())])))

  return {
    write(line) {
      if (isGone || waitingLength + line.length > waitingMax) return
      waiting.push(line)
      waitingLength += line.length
      if (!isWriting && pause === undefined) writeNext()
    },
    async flush() {
      if (pause !== undefined) writeNext()
      if (!isWriting) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, endMaxMs)
      onIdle.push(resolve)
      await promise
      clearTimeout(timer)
    },
  }
}

function writeRest(fd: number, bytes: Buffer) {
  const endAtMs = performance.now() + endMaxMs
  for (let start = 0; start < bytes.length && performance.now() < endAtMs; ) {
    try {
      start += writeSync(fd, bytes, start)
    } catch (error) {
      if (!isBusy(error)) return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EBUSY')
}

let standardOutput: LogOutput | undefined

/** The standard output of this process, of which there is one. */
export function logToStandardOutput(): LogOutput {
  standardOutput ??= createLogOutput(1)
  return standardOutput
}
