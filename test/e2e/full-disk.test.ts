import { spawnSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { range } from '../support/session-stores.ts'
import { spawnOnDisk } from './support/own-disk.ts'

// No rights are needed where the system lets users have a disk of their own.
const unshare = ['--user', '--map-root-user', '--mount']
const canMount = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0
const suite = canMount
  ? 'a disk that is full'
  : 'a disk that is full (skipped: here no process may mount one of its own)'

const files = databaseFiles()
const diskBytes = 8 * 1024 * 1024

describe.skipIf(!canMount)(suite, () => {
  test('fails no call; readiness tells; and when there is room again all is stored, by itself', async () => {
    const mount = `mount -t tmpfs -o size=${diskBytes} tmpfs "$DISK"`
    const { call, waitUntil, inside, expectNothingLost } = await spawnOnDisk({ unshare, mount })
    const filler = inside('filler')

    await call()
    await waitUntil('ready')
    fill(filler, inside(''))
    for (const _ of range(5)) await call()
    await waitUntil('not ready')
    await call()
    rmSync(filler)
    await waitUntil('ready')
    await call()
    await expectNothingLost(files)
  })
})

/** Leaves no room for another page. */
function fill(file: string, folder: string) {
  const { bavail, bsize } = statfsSync(folder)
  // Not the disk of whoever runs the tests.
  expect(bavail * bsize).toBeLessThan(diskBytes)
  writeFileSync(file, Buffer.alloc(bavail * bsize))
}
