import { expect, onTestFinished, test } from 'vitest'
import type { InvokerConfig } from '../../src/domain/config.ts'
import { createInvokerPool, type ProviderSettings } from '../../src/invokers/create-invoker-pool.ts'
import type { FindSharedRates } from '../../src/invokers/paced-invoker.ts'
import { modelRequest, noAbort } from '../support/invoker-fixtures.ts'
import { memoryRates } from '../support/memory-rates.ts'
import { hang, says, startProvider } from '../support/scripted-provider.ts'
import { virtualClock } from '../support/virtual-clock.ts'

const noProvider: ProviderSettings = {
  apiKey: undefined,
  baseUrl: undefined,
  keyOf: () => undefined,
  limits: { concurrency: 1_000 },
}

function openPool(settings: Partial<ProviderSettings> = {}, sharedRates?: FindSharedRates) {
  const pool = createInvokerPool({ ...noProvider, ...settings }, virtualClock().clock, sharedRates)
  onTestFinished(() => pool.close())
  return pool
}

const declaration = (more: Partial<InvokerConfig> = {}): InvokerConfig => ({
  type: 'openai',
  base_url: 'http://localhost:8000/v1',
  system_role: 'system',
  limits: {},
  ...more,
})

test('the same declaration gives the same invoker, so that its limits hold for all who use it', () => {
  const { declared } = openPool()
  const first = declared('local', declaration({ limits: { concurrency: 2 } }))
  expect(declared('local', declaration({ limits: { concurrency: 2 } }))).toBe(first)
  expect(declared('local', declaration({ limits: { concurrency: 3 } }))).not.toBe(first)
})

test.each(['the default provider', 'a declared one'])('%s is asked within its limits', async (which) => {
  const provider = await startProvider(() => hang())
  onTestFinished(() => provider.close())
  const limits = { concurrency: 3 }
  const pool = openPool({ baseUrl: provider.url, limits })
  const invoker =
    which === 'a declared one' ? pool.declared('local', declaration({ base_url: provider.url, limits })) : pool.default

  const holds: boolean[] = []
  const controller = new AbortController()
  const ended = Array.from({ length: 5 }, (_, index) =>
    invoker.invoke(modelRequest(), controller.signal, undefined, (isHeld) => {
      holds[index] = isHeld
    }),
  )
  await provider.until(({ inFlight }) => inFlight === 3)
  expect(holds).toEqual([false, false, false, true, true])
  controller.abort()
  await Promise.allSettled(ended)
  expect(provider.requests).toHaveLength(3)
})

test('all but the simulated model share their limits with other processes, by names that differ', async () => {
  const provider = await startProvider(() => says('fine'))
  onTestFinished(() => provider.close())
  const shared = memoryRates(() => 0)
  const limits = { concurrency: 3, requestsPerMinute: 10 }
  // Found with the first request only: the storage is opened at the same time.
  let isOpen = false
  const pool = openPool({ baseUrl: provider.url, limits }, () => (isOpen ? shared.rates : undefined))
  const declared = pool.declared('local', declaration({ base_url: provider.url, limits: { requests_per_minute: 20 } }))
  isOpen = true
  for (const invoker of [pool.default, declared, ...pool.all().filter(({ simulated }) => simulated)]) {
    await invoker.invoke(modelRequest(), noAbort)
  }
  expect(shared.requests.map((request) => request.limits.requests)).toEqual([10, 20])
  expect(new Set(shared.requests.map(({ rate }) => rate)).size).toBe(2)
})

test('the simulated model is asked by nobody else and has no limits', async () => {
  const invoker = openPool({ limits: { concurrency: 1, requestsPerMinute: 1 } }).default
  expect(invoker.simulated).toBe(true)
  await Promise.all(Array.from({ length: 5 }, () => invoker.invoke(modelRequest(), noAbort)))
})
