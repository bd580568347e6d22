import { getHeapStatistics } from 'node:v8'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

let registry: Registry | undefined

/**
 * What is measured of the process itself, once for all who tell it: two observers of the same garbage collector would see the same,
 * and cost twice. The library's own registry is left to whoever else uses it.
 */
export function measureProcess(): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const limit = new Gauge({
      name: 'lllm_heap_limit_bytes',
      help: 'How large the heap may become.',
      registers: [registry],
    })
    limit.set(getHeapStatistics().heap_size_limit)
  }
  return registry
}
