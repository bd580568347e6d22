import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, vi } from 'vitest'
import type { databaseFiles } from '../../support/database-files.ts'
import { says } from '../../support/scripted-provider.ts'
import { projectFolder, scripted, usage } from './service.ts'
import { spawnService } from './spawned-service.ts'

export interface OwnDisk {
  /** Of `unshare`: what the process has for itself. */
  readonly unshare: readonly string[]
  /** A command that mounts the disk at $DISK, as the process does before anything else. */
  readonly mount: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the real process with its database on a disk of its own, that nobody else sees. Its model makes summaries. */
export async function spawnOnDisk({ unshare, mount, env = {} }: OwnDisk) {
  const disk = mkdtempSync(join(tmpdir(), 'lllm-disk-'))
  onTestFinished(() => rmSync(disk, { recursive: true }))
  const provider = await scripted(() => says('a summary', { usage }))
  const words = ['env', 'unshare', ...unshare, 'sh', '-c', `${mount} && exec "$NODE" "$MAIN"`]
  const become = `process.execve('/usr/bin/env', ${JSON.stringify(words)}, process.env)`
  const service = await spawnService(
    {
      provider,
      database: join(disk, 'lllm.db'),
      env: { ...env, DISK: disk, NODE: process.execPath, MAIN: join(projectFolder, 'src/main.ts') },
    },
    ['-e', become],
  )
  const ids: string[] = []
  /** A file of the disk, as the process sees it. */
  const inside = (name: string) => `/proc/${service.pid}/root${join(disk, name)}`

  return {
    service,
    disk,
    inside,
    async call() {
      const { status, body } = await service.post<{ session_id: string }>('/tactics/summarizer', { task: 'bees' })
      expect(status).toBe(200)
      ids.push(body.session_id)
    },
    /** Waits until /readyz says that the service can work, or cannot. */
    async waitUntil(state: 'ready' | 'not ready') {
      const status = state === 'ready' ? 200 : 503
      await vi.waitFor(async () => expect((await service.get('/readyz')).status).toBe(status), { timeout: 10_000 })
    },
    /** All calls are stored, once, in a file that is in order. Ends the process. */
    async expectNothingLost(files: ReturnType<typeof databaseFiles>) {
      await vi.waitFor(async () => {
        for (const id of ids) expect((await service.get(`/sessions/${id}`)).status).toBe(200)
      })
      const { body: costs } = await service.get<{ total: { sessions: number } }>('/costs')
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
    },
  }
}
