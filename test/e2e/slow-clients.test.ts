import { readdirSync, readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { inBatches } from './support/in-batches.ts'
import {
  bodyWithoutEnd,
  headersWithoutEnd,
  largeHeaders,
  measureP99,
  measureP99Apart,
  openReader,
  openSlow,
} from './support/slow-clients.ts'
import { type SpawnedService, spawnService } from './support/spawned-service.ts'

const slowCount = Number(process.env['LLLM_TEST_SLOW'] ?? 40)
const readerCount = Number(process.env['LLLM_TEST_READERS'] ?? 60)
/** Figures are only worth something where nothing else is going on. */
const isMeasured = process.env['LLLM_TEST_SLOW'] !== undefined
const requestCount = isMeasured ? 2_000 : 100
const timeoutMs = isMeasured ? 20_000 : 600

/** Kilobytes of memory that a process has, as Linux says it. */
function residentKb({ pid }: SpawnedService): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Files, sockets and the like that a process has open. */
function openFiles({ pid }: SpawnedService): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Connections of well-behaved clients, which may be there or not. */
const keptAlive = 5
const { newPath } = databaseFiles()

test('slow, endless and idle clients cost a healthy one little, and leave nothing behind', {
  timeout: 300_000,
}, async () => {
  const env = {
    LLLM_HEADERS_TIMEOUT_MS: String(timeoutMs),
    LLLM_REQUEST_TIMEOUT_MS: String(timeoutMs),
    LLLM_LOG_LEVEL: 'info',
    // All of them are one address here.
    LLLM_CONNECTIONS_PER_ADDRESS: '20000',
  }
  const service = await spawnService({ env, database: newPath() })
  const { url } = service
  const later = await service.post<{ id: string }>('/tactics/summarizer/runs', {
    task: 'a',
    run_at: new Date(Date.now() + 86_400_000).toISOString(),
  })
  const measure = () => (isMeasured ? measureP99Apart : measureP99)(url, 'summarizer', requestCount)
  await measure()
  const quietMs = await measure()
  const quietKb = residentKb(service)
  const quietFiles = openFiles(service)

  const beginnings = [headersWithoutEnd, bodyWithoutEnd]
  const large = await inBatches(Math.ceil(slowCount / 20), 20, () => openSlow(url, largeHeaders, timeoutMs))
  const slow = await inBatches(slowCount, 100, (index) => openSlow(url, beginnings[index % 2] ?? '', timeoutMs / 10))
  const besideSlowMs = await measure()
  for (const { told } of slow) expect(await told).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"request-timeout"/)
  // Some are cut off before they have sent all of it, and then hear nothing.
  for (const { told } of large) expect(await told).toMatch(/^$|^HTTP\/1\.1 431 [\s\S]*"code":"headers-too-large"/)

  const readers = await inBatches(readerCount, 100, () => openReader(url, `/runs/${later.body.id}/events`))
  const besideReadersMs = await measure()
  const fullKb = residentKb(service)
  for (const reader of readers) reader.destroy()
  await vi.waitFor(() => expect(openFiles(service)).toBeLessThanOrEqual(quietFiles + keptAlive), { timeout: 20_000 })
  if (!isMeasured) return

  // V8 gives memory back when there is nothing to do, and not at once.
  const leftKb = await vi.waitFor(
    () => {
      const kb = residentKb(service)
      expect(kb - quietKb).toBeLessThan((fullKb - quietKb) / 2)
      return kb
    },
    { timeout: 120_000, interval: 1_000 },
  )
  const figures = { quietMs, besideSlowMs, besideReadersMs, quietKb, fullKb, leftKb }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
  expect(besideSlowMs).toBeLessThan(quietMs * 3)
  expect(besideReadersMs).toBeLessThan(quietMs * 3)
})
