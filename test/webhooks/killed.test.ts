import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { emptyAllowList } from '../../src/outbound/allow-list.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { systemWorld } from '../../src/system-world.ts'
import { createWebhookSender } from '../../src/webhooks/webhook-sender.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openReceiver } from './receiver.ts'

const files = databaseFiles()
const script = fileURLToPath(new URL('../support/ending-process.ts', import.meta.url))

test('the ends of runs are told by the next process when the one that ended them was killed', async () => {
  const path = files.newPath()
  const receiver = await openReceiver()
  const child = spawn(process.execPath, [script, path, '7', receiver.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(receiver.received).toEqual([])

  const store = await openSqliteSessionStore({ path })
  const sender = createWebhookSender({
    store: store.webhooks,
    rules: { secrets: [`whsec_${Buffer.alloc(32).toString('base64')}`], allowPrivate: true, allowed: emptyAllowList },
    clock: systemWorld.clock,
    onEvent: () => {},
  })
  onTestFinished(async () => {
    await sender.close(0)
    await store.close()
  })
  sender.start()
  const received = await receiver.until(7)
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(7)
  expect(received).toHaveLength(7)
})
