import type { Clock } from '../domain/clock.ts'
import type { InvokerConfig } from '../domain/config.ts'
import type { Invoker } from '../domain/invoker.ts'
import type { InvokerPool } from '../domain/invoker-pool.ts'
import { createOpenAiInvoker } from './openai-invoker.ts'
import type { PaceLimits } from './pace-limits.ts'
import { type FindSharedRates, paced } from './paced-invoker.ts'
import { createSimulatedInvoker } from './simulated-invoker.ts'

export interface ProviderSettings {
  /** Of the default provider. */
  readonly apiKey: string | undefined
  /** Alone, it is enough for servers that need no key. */
  readonly baseUrl: string | undefined
  /** The key of an invoker that a config declares, by its name. A config itself never says where a key is. */
  readonly keyOf: (invoker: string) => string | undefined
  /** Of the default provider, for each of its models. */
  readonly limits: PaceLimits
}

/** As many requests as one batch may ask for. It is fewer than the sockets that there may be to one provider. */
const concurrencyDefault = 1_000

/** Opens invokers as they are asked for. Without a key and a base URL, the default is the simulated model. */
export function createInvokerPool(
  { apiKey, baseUrl, keyOf, limits }: ProviderSettings,
  clock: Clock,
  sharedRates?: FindSharedRates,
): InvokerPool {
  const simulated = createSimulatedInvoker({ name: 'simulated' })
  const isConfigured = apiKey !== undefined || baseUrl !== undefined
  const access = { ...(apiKey === undefined ? {} : { apiKey }), ...(baseUrl === undefined ? {} : { baseUrl }) }
  const pace = (invoker: Invoker, itsLimits: PaceLimits) => paced(invoker, itsLimits, clock, sharedRates)
  const standard = isConfigured ? pace(createOpenAiInvoker({ name: 'openai', ...access }), limits) : simulated
  const builtIn = new Map([standard, simulated].map((invoker) => [invoker.name, invoker]))
  const declared = new Map<string, Invoker>()

  return {
    default: standard,
    builtIn,
    declared(name: string, config: InvokerConfig) {
      const identity = JSON.stringify([name, config.base_url, config.system_role, config.limits])
      const known = declared.get(identity)
      if (known !== undefined) return known
      const key = keyOf(name)
      const invoker = createOpenAiInvoker({
        name,
        baseUrl: config.base_url,
        systemRole: config.system_role,
        ...(key === undefined ? {} : { apiKey: key }),
      })
      const opened = pace(invoker, limitsOf(config))
      declared.set(identity, opened)
      return opened
    },
    all: () => [...new Set([...builtIn.values(), ...declared.values()])],
    async close() {
      await Promise.allSettled([...builtIn.values(), ...declared.values()].map((invoker) => invoker.close()))
    },
  }
}

function limitsOf({ limits }: InvokerConfig): PaceLimits {
  return {
    concurrency: limits.concurrency ?? concurrencyDefault,
    requestsPerMinute: limits.requests_per_minute,
    tokensPerMinute: limits.tokens_per_minute,
  }
}
