import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { after, createGate, hang, says } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { environmentOf, projectFolder, scripted } from './support/service.ts'
import { type SpawnedService, spawnService } from './support/spawned-service.ts'

const files = databaseFiles()

/** Resolves once the service has heard the signal. */
async function untilDraining({ get }: SpawnedService) {
  for (;;) if ((await get('/readyz')).status === 503) return
}

/** What a session says after the process has gone. */
async function storedSession(database: string, id: string | undefined) {
  const store = await openSessionStore(database)
  try {
    return await store.get(id ?? '')
  } finally {
    await store.close()
  }
}

describe('a service whose log nobody takes is served and stopped as any other', () => {
  test('because its reader has gone', async () => {
    const service = await spawnService()
    service.closeStdout()
    expect((await service.call('summarizer', 'bees')).status).toBe(200)
    service.kill('SIGTERM')
    expect(await service.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  test.runIf(process.platform === 'linux')('because the disk is full', async () => {
    const database = files.newPath()
    const full = openSync('/dev/full', 'w')
    onTestFinished(() => closeSync(full))
    const service = spawn(process.execPath, [join(projectFolder, 'src/main.ts')], {
      cwd: projectFolder,
      env: environmentOf({ database }),
      stdio: ['ignore', full, 'pipe'],
    })
    onTestFinished(() => void service.kill('SIGKILL'))
    const exited = once(service, 'exit')
    await vi.waitUntil(() => existsSync(database), { interval: 20, timeout: 15_000 })
    service.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })
})

describe('an idle service that is told to stop', () => {
  test('ends at once, with a keep-alive client connected and a timer left by a tactic', async () => {
    const folder = await writePackage({
      'tactics/clock.ts': `import { Tactic } from 'lllm'
setInterval(() => {}, 1000)
export default class extends Tactic({ name: 'clock', agents: ['writer'] }) {
  async call(task) { return task }
}
`,
      'configs/clock.yaml': config('clock', { writer: 'You write.' }),
    })
    const service = await spawnService({ folder })
    // The connection of this answer stays open.
    await service.get('/healthz')
    const toldAtMs = performance.now()
    service.kill('SIGINT')
    expect(await service.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(performance.now() - toldAtMs).toBeLessThan(900)
  })

  test('does not wait for ever for a client that never sends the rest of its request', async () => {
    const service = await spawnService()
    const { port, hostname } = new URL(service.url)
    const client = connect(Number(port), hostname)
    await once(client, 'connect')
    client.on('error', () => {})
    client.write('POST /tactics/researcher HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n')
    client.write('Expect: 100-continue\r\nContent-Length: 100\r\n\r\n')
    expect(String(await once(client, 'data'))).toMatch(/^HTTP\/1\.1 100 /)
    client.write('{"task": ')
    service.kill('SIGTERM')
    expect(await service.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
  })
})

describe('a service with calls under way that is told to stop', () => {
  test('answers them, refuses new ones, and ends when the last one is answered', async () => {
    const gate = createGate()
    const provider = await scripted(() => after(gate, says('facts')))
    const database = files.newPath()
    const service = await spawnService({ provider, database, env: { LLLM_GRACE_MS: '60000' } })
    const underWay = [service.call('summarizer', 'one'), service.call('summarizer', 'two')]
    await provider.until(({ inFlight }) => inFlight === 2)

    service.kill('SIGTERM')
    await untilDraining(service)
    const refused = await service.call('summarizer', 'three')
    expect(refused).toMatchObject({ status: 503, body: { code: 'draining', retryable: true } })
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await service.batch('summarizer', ['four'])).status).toBe(503)
    expect((await service.get('/healthz')).status).toBe(200)
    expect((await service.get('/sessions')).status).toBe(200)
    expect(provider.requests).toHaveLength(2)

    gate.open()
    for (const call of underWay) {
      const { status, headers, body } = await call
      expect({ status, connection: headers.get('connection') }).toEqual({ status: 200, connection: 'close' })
      await service.exited
      expect(await storedSession(database, body.session_id)).toMatchObject({ state: 'success', end_reason: null })
    }
    expect(await service.exited).toMatchObject({ code: 0, stderr: '' })
  })

  test('stops them after the time of grace, and keeps what they were', async () => {
    const provider = await scripted(({ lastText }) => (lastText.includes('fast') ? says('facts') : hang()))
    const database = files.newPath()
    const service = await spawnService({ provider, database, env: { LLLM_GRACE_MS: '100' } })
    const call = service.call('summarizer', 'slow')
    const batch = service.batch('summarizer', ['fast', 'slow', 'never'], { max_workers: 1 })
    await provider.until(({ requests, inFlight }) => requests.length === 3 && inFlight === 2)
    service.kill('SIGTERM')

    const { status, body } = await call
    expect({ status, code: body.code, cost: body.cost_usd }).toEqual({ status: 503, code: 'draining', cost: null })
    const { items } = (await batch).body
    expect(items.map((item) => item.status)).toEqual(['success', 'cancelled', 'skipped'])
    expect(await service.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
    expect(provider).toMatchObject({ inFlight: 0, aborted: 2 })

    for (const id of [body.session_id, items[1]?.session_id ?? '']) {
      expect(await storedSession(database, id)).toMatchObject({
        state: 'cancelled',
        end_reason: 'shutdown',
        cost: { cost_usd: null, unpriced_calls: 1 },
      })
    }
    expect(await storedSession(database, items[0]?.session_id ?? '')).toMatchObject({ state: 'success' })
  })

  test('ends at once on a second signal, of whichever kind', async () => {
    const provider = await scripted(() => hang())
    const service = await spawnService({ provider, env: { LLLM_GRACE_MS: '60000' } })
    const call = service.call('summarizer', 'slow')
    call.catch(() => {})
    await provider.until(({ inFlight }) => inFlight === 1)
    service.kill('SIGTERM')
    await untilDraining(service)
    service.kill('SIGINT')
    expect(await service.exited).toMatchObject({ code: null, signal: 'SIGINT' })
    await expect(call).rejects.toThrow()
  })
})
