import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { range } from '../support/session-stores.ts'
import { spawnOnDisk } from './support/own-disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'lllm-image-'))
afterAll(() => rmSync(folder, { recursive: true }))
const image = join(folder, 'disk.img')
const repaired = join(folder, 'repaired.img')
const unshare = ['--mount']
const isFormatted = spawnSync('mkfs.ext4', ['-q', image, '16M']).status === 0
const canMount = isFormatted && spawnSync('unshare', [...unshare, 'mount', '-o', 'loop', image, tmpdir()]).status === 0
const suite = canMount
  ? 'a disk that becomes read-only in the middle of the work'
  : 'a disk that becomes read-only in the middle of the work (skipped: a file can be mounted as a disk only by root, with mkfs.ext4)'

const files = databaseFiles()

describe.skipIf(!canMount)(suite, () => {
  test('fails no call; readiness tells; and when it is repaired all is stored, by itself', async () => {
    const { call, waitUntil, service, disk, expectNothingLost } = await spawnOnDisk({
      unshare,
      mount: `mount -o loop ${image} "$DISK"`,
    })
    const onDisk = (command: string, ...args: readonly string[]) =>
      execFileSync('nsenter', [`--mount=/proc/${service.pid}/ns/mnt`, command, ...args])

    await call()
    await waitUntil('ready')
    // What the kernel does when a disk fails: files that are open for writing are no hindrance.
    onDisk('mount', '-o', 'remount,abort', disk)
    for (const _ of range(5)) await call()
    await waitUntil('not ready')
    await call()
    onDisk('umount', '--lazy', disk)
    // Another one with what has reached the first, which the kernel does not let anybody write to any more.
    copyFileSync(image, repaired)
    onDisk('mount', '-o', 'loop', repaired, disk)
    await waitUntil('ready')
    await call()
    await expectNothingLost(files)
  })
})
