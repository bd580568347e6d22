import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type LookupFunction } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DeliveryAttempt } from '../../src/domain/webhook.ts'
import type { DeliveryStep, DueDelivery, WebhookStore } from '../../src/domain/webhook-store.ts'
import { emptyAllowList } from '../../src/outbound/allow-list.ts'
import { tenantSecrets } from '../../src/webhooks/tenant-secrets.ts'
import { createWebhookSender, type WebhookEvent } from '../../src/webhooks/webhook-sender.ts'
import { virtualClock } from '../support/virtual-clock.ts'
import { openReceiver } from './receiver.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const olderSecret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

interface Recorded {
  readonly id: string
  readonly attempt: DeliveryAttempt
  readonly step: DeliveryStep
}

/** Deliveries that are handed out as there is room for them, and what was recorded of them. */
function scriptedStore(urls: readonly string[], tenant: string) {
  let left = urls.map(
    (url, number): DueDelivery => ({
      id: `delivery-${number}`,
      runId: `run-${number}`,
      tenant,
      url,
      host: new URL(url).host,
      body: JSON.stringify({ type: 'run.succeeded', data: { number } }),
      tries: 0,
      claim: 1,
    }),
  )
  const recorded: Recorded[] = []
  const wakes = new Set<() => void>()
  const store: Omit<WebhookStore, 'of'> = {
    async claim({ slots, hostMax, hostsBusy }) {
      const busy = new Map(Object.entries(hostsBusy))
      const taken: DueDelivery[] = []
      for (const due of left) {
        const count = busy.get(due.host) ?? 0
        if (taken.length >= slots || count >= hostMax) continue
        busy.set(due.host, count + 1)
        taken.push(due)
      }
      left = left.filter((due) => !taken.includes(due))
      return taken
    },
    async record({ id }, attempt, step) {
      recorded.push({ id, attempt, step })
      // By then whoever recorded it has gone on.
      setImmediate(() => wakes.forEach((wake) => void wake()))
      return true
    },
    ofRun: async () => [],
    redeliver: async () => false,
  }
  return {
    store,
    recorded,
    /** Resolves as soon as this many attempts were recorded. */
    until: (count: number) =>
      new Promise<readonly Recorded[]>((resolve) => {
        const look = () => {
          if (recorded.length >= count) resolve(recorded)
        }
        wakes.add(look)
        look()
      }),
  }
}

interface Setup {
  readonly allowPrivate?: boolean
  readonly lookup?: LookupFunction
  readonly timeoutMs?: number
  readonly secrets?: readonly string[]
  readonly tenant?: string
}

function open(
  urls: readonly string[],
  { allowPrivate = true, secrets = [secret], tenant = 'default', ...more }: Setup = {},
) {
  const { clock } = virtualClock()
  const script = scriptedStore(urls, tenant)
  const events: WebhookEvent[] = []
  const onEvent = (event: WebhookEvent) => void events.push(event)
  const sender = createWebhookSender({
    store: script.store,
    rules: { secrets, allowPrivate, allowed: emptyAllowList },
    clock,
    onEvent,
    ...more,
  })
  onTestFinished(() => sender.close(0))
  sender.start()
  return { ...script, sender, events, clock }
}

describe('a webhook', () => {
  test('is signed as Standard Webhooks says, with each of the secrets', async () => {
    const receiver = await openReceiver()
    const { until, events, clock } = open([receiver.url], { secrets: [secret, olderSecret] })
    expect(await until(1)).toMatchObject([{ attempt: { status: 204, fault: null }, step: { kind: 'delivered' } }])
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'delivery-0',
      'webhook-timestamp': String(clock.now() / 1_000),
    })
    // The package refuses what is old; the time of this test stands still.
    const signatures = String(headers['webhook-signature']).split(' ')
    for (const [index, key] of [secret, olderSecret].entries()) {
      expect(signatures[index]).toBe(new Webhook(key).sign('delivery-0', new Date(clock.now()), body))
    }
    expect(events).toMatchObject([{ type: 'webhook.attempted', host: `127.0.0.1:${receiver.port}`, step: 'delivered' }])
    expect(JSON.stringify(events)).not.toContain('/hook')
  })

  test('of a tenant is signed with what only this tenant verifies', async () => {
    const receiver = await openReceiver()
    const { until, clock } = open([receiver.url], { secrets: [secret, olderSecret], tenant: 'acme' })
    await until(1)
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received
    const time = new Date(clock.now())
    const sign = (key: string) => new Webhook(key).sign('delivery-0', time, body)
    const own = tenantSecrets('acme', [secret, olderSecret])
    expect(headers['webhook-signature']).toBe(own.map(sign).join(' '))
    const foreign = [secret, olderSecret, ...tenantSecrets('globex', [secret, olderSecret])]
    for (const key of foreign) expect(headers['webhook-signature']).not.toContain(sign(key))
  })

  test('is not followed to where an answer redirects it', async () => {
    const elsewhere = await openReceiver()
    const receiver = await openReceiver((response) => {
      response.writeHead(307, { location: elsewhere.url }).end()
    })
    const { until } = open([receiver.url])
    expect(await until(1)).toMatchObject([{ attempt: { status: 307 }, step: { kind: 'retry', afterMs: 5_000 } }])
    expect(elsewhere.received).toEqual([])
  })

  test('waits as long as its receiver asks for', async () => {
    const receiver = await openReceiver((response) => {
      response.writeHead(503, { 'retry-after': '600' }).end()
    })
    const { until } = open([receiver.url])
    expect(await until(1)).toMatchObject([{ attempt: { status: 503 }, step: { kind: 'retry', afterMs: 600_000 } }])
  })

  test('has been delivered also when the answer is endless, of which little is read', async () => {
    let sent = 0
    const receiver = await openReceiver((response) => {
      const piece = Buffer.alloc(65_536)
      const write = () => {
        while (sent < 10_000_000 && !response.destroyed) {
          sent += piece.length
          if (!response.write(piece)) return void response.once('drain', write)
        }
        response.end()
      }
      write()
    })
    const { until } = open([receiver.url])
    expect(await until(1)).toMatchObject([{ attempt: { status: 200 }, step: { kind: 'delivered' } }])
    // What the system buffers on its way is all that was taken.
    expect(sent).toBeLessThan(9_000_000)
  })

  test('times out at a receiver that takes it and says nothing', async () => {
    const receiver = await openReceiver(() => {})
    const { until } = open([receiver.url], { timeoutMs: 30 })
    expect(await until(1)).toMatchObject([
      { attempt: { status: null, fault: 'timeout' }, step: { kind: 'retry', afterMs: 5_000 } },
    ])
  })

  test('finds nobody where nobody listens, and where the answer is none', async () => {
    const server = createServer((socket) => void socket.end('what?\r\n\r\n')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port: freePort } = free.address() as AddressInfo
    free.close()
    await once(free, 'close')
    const { until } = open([`http://127.0.0.1:${port}/`, `http://127.0.0.1:${freePort}/`])
    expect((await until(2)).map(({ attempt }) => attempt.fault)).toEqual(['unreachable', 'unreachable'])
  })

  test('is given to the next process when this one ends', async () => {
    const receiver = await openReceiver(() => {})
    const { until, sender } = open([receiver.url])
    await receiver.until(1)
    await sender.close(0)
    expect(await until(1)).toMatchObject([{ attempt: { fault: 'interrupted' }, step: { kind: 'retry', afterMs: 0 } }])
  })
})

describe('receivers', () => {
  test('that are slow leave places for the others, and are asked a few at a time', async () => {
    const slow = await openReceiver(() => {})
    const quick = await openReceiver()
    const urls = [...Array.from({ length: 100 }, () => slow.url), ...Array.from({ length: 20 }, () => quick.url)]
    const { until } = open(urls)
    const recorded = await until(20)
    expect(recorded.every(({ step }) => step.kind === 'delivered')).toBe(true)
    expect(quick.received).toHaveLength(20)
    await slow.until(4)
    expect(slow.received).toHaveLength(4)
  })
})

describe('an address', () => {
  /** Answers each question with the next of the addresses, and the last one for ever. */
  function resolving(...addresses: readonly string[]) {
    const asked: string[] = []
    const lookup: LookupFunction = (name, _options, done) => {
      const address = addresses[Math.min(asked.length, addresses.length - 1)] ?? ''
      asked.push(name)
      done(null, [{ address, family: 4 }])
    }
    return { asked, lookup }
  }

  test('that is private is not connected to, whether it is written or looked up', async () => {
    const receiver = await openReceiver()
    const { asked, lookup } = resolving('127.0.0.1')
    const urls = [`https://127.0.0.1:${receiver.port}/`, `https://hook.example:${receiver.port}/`]
    const { until } = open(urls, { allowPrivate: false, lookup })
    expect((await until(2)).map(({ attempt }) => attempt.fault)).toEqual(['address-refused', 'address-refused'])
    expect(asked).toEqual(['hook.example'])
    expect(receiver.received).toEqual([])
  })

  test('that becomes private after it was judged is judged again for each connection', async () => {
    const receiver = await openReceiver()
    const { asked, lookup } = resolving('8.8.8.8', '127.0.0.1')
    // The first answer is for whoever only looks, the second for whoever connects: here they are one.
    lookup('hook.example', {}, () => {})
    const { until } = open([`https://hook.example:${receiver.port}/`], { allowPrivate: false, lookup })
    expect(await until(1)).toMatchObject([{ attempt: { fault: 'address-refused' } }])
    expect([asked.length, receiver.received.length]).toEqual([2, 0])
  })

  test('is looked up once for a connection, which is made to what was found', async () => {
    const receiver = await openReceiver()
    const { asked, lookup } = resolving('127.0.0.1', '192.0.2.1')
    const { until } = open([`http://hook.example:${receiver.port}/`], { lookup })
    expect(await until(1)).toMatchObject([{ attempt: { status: 204 } }])
    expect(receiver.received[0]?.headers).toMatchObject({ host: `hook.example:${receiver.port}` })
    expect(asked).toEqual(['hook.example'])
  })
})

test('an outage of the store is told once, and outlasted', async () => {
  const receiver = await openReceiver()
  const { store, until } = scriptedStore([receiver.url], 'default')
  const { clock, advance } = virtualClock()
  let failures = 3
  const failing: typeof store = {
    ...store,
    claim: (request) => (failures-- > 0 ? Promise.reject(new Error('It is away.')) : store.claim(request)),
  }
  const events: WebhookEvent[] = []
  const sender = createWebhookSender({
    store: failing,
    rules: { secrets: [secret], allowPrivate: true, allowed: emptyAllowList },
    clock,
    onEvent: (event) => void events.push(event),
  })
  onTestFinished(() => sender.close(0))
  sender.start()
  await advance(3_000)
  await until(1)
  expect(events.filter(({ type }) => type === 'webhook.store-failed')).toHaveLength(1)
})

describe('the secrets of a tenant', () => {
  test('are those of the settings for the operator, and derived from them for everybody else', () => {
    expect(tenantSecrets('default', [secret])).toEqual([secret])
    const [own = ''] = tenantSecrets('acme', [secret])
    const expected = createHmac('sha256', Buffer.alloc(32, 7)).update('acme').digest('base64')
    expect(own).toBe(`whsec_${expected}`)
  })
})
