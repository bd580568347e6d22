import type { Registry } from 'prom-client'
import type { Observed } from '../domain/observation.ts'
import { callSeconds } from './buckets.ts'
import { openCounts, openDurations } from './quick-metrics.ts'

/** Counts requests to the service. Routes, methods and statuses are few by themselves. */
export function countRequests(registry: Registry): (ended: Observed<'request.ended'>) => void {
  const requests = openCounts(registry, {
    name: 'lllm_http_requests_total',
    help: 'HTTP requests that were answered. Status 499: the client went away before.',
    labelNames: ['route', 'method', 'status'],
  })
  const durations = openDurations(registry, {
    name: 'lllm_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['route', 'method'],
    buckets: callSeconds,
  })
  return ({ route, method, status, durationMs }) => {
    requests.of(route, method, String(status)).count++
    durations.of(route, method).observe(durationMs / 1_000)
  }
}
