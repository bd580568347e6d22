import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { says } from '../support/scripted-provider.ts'
import { range } from '../support/session-stores.ts'
import { projectFolder, scripted, usage } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

// A disk of the process's own: nothing outside of it is mounted, and no rights are needed where the system lets users have that.
const unshare = ['--user', '--map-root-user', '--mount']
const canMount = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0
const suite = canMount
  ? 'a disk that is full'
  : 'a disk that is full (skipped: here no process may mount one of its own)'

const files = databaseFiles()
const diskBytes = 8 * 1024 * 1024
const script = `mount -t tmpfs -o size=${diskBytes} tmpfs "$DISK" && exec "$NODE" "$MAIN"`

describe.skipIf(!canMount)(suite, () => {
  test('fails no call; readiness tells; and when there is room again all is stored, by itself', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'lllm-disk-'))
    onTestFinished(() => rmSync(disk, { recursive: true }))
    const provider = await scripted(() => says('a summary', { usage }))
    const env = { DISK: disk, NODE: process.execPath, MAIN: join(projectFolder, 'src/main.ts') }
    const become = `process.execve('/usr/bin/env', ${JSON.stringify(['env', 'unshare', ...unshare, 'sh', '-c', script])}, process.env)`
    const service = await spawnService({ provider, database: join(disk, 'lllm.db'), env }, ['-e', become])
    // As the process sees it.
    const inside = (name: string) => `/proc/${service.pid}/root${join(disk, name)}`
    const ids: string[] = []
    const call = async () => {
      const { status, body } = await service.post<{ session_id: string }>('/tactics/summarizer', { task: 'bees' })
      expect(status).toBe(200)
      ids.push(body.session_id)
    }
    const readiness = async () => (await service.get('/readyz')).status
    const filler = inside('filler')

    await call()
    expect(await readiness()).toBe(200)
    fill(filler, inside(''))
    for (const _ of range(5)) await call()
    await vi.waitFor(async () => expect(await readiness()).toBe(503), { timeout: 10_000 })
    await call()
    rmSync(filler)
    await vi.waitFor(async () => expect(await readiness()).toBe(200), { timeout: 10_000 })
    await call()
    await vi.waitFor(async () => {
      for (const id of ids) expect((await service.get(`/sessions/${id}`)).status).toBe(200)
    })
    const { body: costs } = await service.get<{ total: { sessions: number; cost_usd: number } }>('/costs')
    expect(costs.total.sessions).toBe(ids.length)
    // SQLite finds no file by a path that leads through another process.
    const copy = files.newPath()
    mkdirSync(dirname(copy), { recursive: true })
    for (const suffix of ['', '-wal']) copyFileSync(inside(`lllm.db${suffix}`), copy + suffix)
    const database = new DatabaseSync(copy)
    expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }])
    database.close()
    expect(service.logLines.some(({ msg }) => msg === 'session.lost')).toBe(false)
    // Before its disk goes: it would make another one.
    service.kill('SIGKILL')
    await service.exited
  })
})

/** Leaves no room for another page. */
function fill(file: string, folder: string) {
  const { bavail, bsize } = statfsSync(folder)
  // Not the disk of whoever runs the tests.
  expect(bavail * bsize).toBeLessThan(diskBytes)
  writeFileSync(file, Buffer.alloc(bavail * bsize))
}
