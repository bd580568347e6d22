import { isLllmError } from '../domain/errors.ts'
import type { Observe } from '../domain/observation.ts'

type Method = (...given: readonly unknown[]) => unknown

/**
 * The same store, of which everything that it is asked is timed: each method that gives a promise, and those of the stores that it holds,
 * or gives at once, as that of one tenant.
 * An operation is named by its store and its method: `sessions.save`, or `runs.claim` of the one that is held as `runs`. That a store
 * refuses something, as the write of somebody who has lost a run, is an answer like any other; only one that fails has the outcome `error`.
 */
export function timeStore<Store extends object>(store: Store, observe: Observe, storeName: string): Store {
  // Each is made once, so that the hot path pays for nothing but the clock.
  const made = new Map<unknown, unknown>()
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof name === 'symbol' || (!isHolder(value) && typeof value !== 'function')) return value
      const known = made.get(value)
      if (known !== undefined) return known
      const timed = isHolder(value)
        ? timeStore(value, observe, name)
        : timeMethod(target, value as Method, observe, storeName, name)
      made.set(value, timed)
      return timed
    },
  })
}

function timeMethod(store: object, method: Method, observe: Observe, storeName: string, name: string): Method {
  const operation = `${storeName}.${name}`
  return (...given) => {
    const startedAt = performance.now()
    const answer = Reflect.apply(method, store, given)
    if (!(answer instanceof Promise)) return isHolder(answer) ? timeStore(answer, observe, storeName) : answer
    const tell = (outcome: 'ok' | 'error') =>
      observe({ type: 'store.asked', operation, outcome, durationMs: performance.now() - startedAt })
    answer.then(
      () => tell('ok'),
      (error: unknown) => tell(isFailure(error) ? 'error' : 'ok'),
    )
    return answer
  }
}

function isHolder(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isFailure(error: unknown): boolean {
  return !isLllmError(error) || error.code === 'store-unavailable'
}
