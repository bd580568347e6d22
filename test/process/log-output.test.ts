import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createLogOutput } from '../../src/process/log-output.ts'

async function newPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lllm-log-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'log')
}

function opened(path: string, flags: number | string): number {
  const fd = openSync(path, flags)
  onTestFinished(() => closeSync(fd))
  return fd
}

describe('the log', () => {
  test('has all lines in their order', async () => {
    const path = await newPath()
    const output = createLogOutput(opened(path, 'w'))
    const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`)
    for (const line of lines) output.write(line)
    await output.flush()
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''))
  })

  test('writes a line at once after a pause, and gathers those that come close behind it', async () => {
    const path = await newPath()
    const output = createLogOutput(opened(path, 'w'))
    const isWritten = (text: string) => vi.waitUntil(() => readFileSync(path, 'utf8') === text, { interval: 1 })
    output.write('first\n')
    await isWritten('first\n')
    output.write('second\n')
    output.write('third\n')
    await isWritten('first\nsecond\nthird\n')
    output.write('last\n')
    await output.flush()
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\nthird\nlast\n')
  })

  test.runIf(process.platform === 'linux')('loses lines on a disk that is full, and holds nobody up', async () => {
    const output = createLogOutput(opened('/dev/full', 'w'))
    for (let line = 0; line < 10; line++) {
      output.write('a line\n')
      await output.flush()
    }
  })

  test.skipIf(process.platform === 'win32')(
    'waits for a reader that is slow, and gives up on one that has gone',
    async () => {
      const path = await newPath()
      execFileSync('mkfifo', [path])
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
      const output = createLogOutput(opened(path, constants.O_WRONLY | constants.O_NONBLOCK))
      // More than a pipe holds.
      const line = `${'a'.repeat(99_999)}\n`
      for (let count = 0; count < 5; count++) output.write(line)
      const buffer = Buffer.alloc(65_536)
      let missing = 5 * line.length
      const isRead = () => {
        missing -= readAvailable(reader, buffer)
        return missing === 0
      }
      await vi.waitUntil(isRead, { interval: 1, timeout: 5_000 })
      await output.flush()
      closeSync(reader)
      for (let count = 0; count < 5; count++) output.write(line)
      await output.flush()
      output.write(line)
    },
  )
})

function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}
