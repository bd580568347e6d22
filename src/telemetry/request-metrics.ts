import { Counter, Histogram, type Registry } from 'prom-client'
import type { Observed } from '../domain/observation.ts'
import { callSeconds } from './buckets.ts'

/** Counts requests to the service. Routes, methods and statuses are few by themselves. */
export function countRequests(registry: Registry): (ended: Observed<'request.ended'>) => void {
  const registers = [registry]
  const requests = new Counter({
    name: 'lllm_http_requests_total',
    help: 'HTTP requests that were answered. Status 499: the client went away before.',
    labelNames: ['route', 'method', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'lllm_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer.',
    labelNames: ['route', 'method'],
    buckets: callSeconds,
    registers,
  })
  return ({ route, method, status, durationMs }) => {
    requests.inc({ route, method, status })
    durations.observe({ route, method }, durationMs / 1_000)
  }
}
