import { Counter, type Registry } from 'prom-client'
import type { Observed } from '../domain/observation.ts'
import { storeSeconds } from './buckets.ts'
import { boundLabel } from './label-names.ts'
import { openDurations } from './quick-metrics.ts'

/** Counts what goes on around calls: attempts of runs, deliveries of webhooks, sessions, and what stores are asked. */
export function countWork(registry: Registry) {
  const registers = [registry]
  const nameOperation = boundLabel()
  const starts = new Counter({
    name: 'lllm_run_starts_total',
    help: 'Attempts of runs that this process has started.',
    registers,
  })
  const ends = new Counter({
    name: 'lllm_run_attempts_total',
    help: 'Attempts of runs that are over: ended with the run, released to be started again, or fenced off by another process.',
    labelNames: ['how'],
    registers,
  })
  const lost = new Counter({
    name: 'lllm_sessions_lost_total',
    help: 'Sessions that the store did not take, and that were given up.',
    registers,
  })
  const late = new Counter({
    name: 'lllm_session_save_failures_total',
    help: 'Sessions that the store did not take at the first try.',
    registers,
  })
  const webhooks = new Counter({
    name: 'lllm_webhook_attempts_total',
    help: 'Attempts to deliver a webhook, by what came of them.',
    labelNames: ['step'],
    registers,
  })
  // A series that begins with its first count hides that one from whoever looks at increases.
  for (const how of ['ended', 'released', 'fenced']) ends.inc({ how }, 0)
  for (const step of ['delivered', 'retry', 'failed', 'lost']) webhooks.inc({ step }, 0)
  const store = openDurations(registry, {
    name: 'lllm_store_operation_duration_seconds',
    help: 'Time that the store took for what it was asked.',
    labelNames: ['operation', 'outcome'],
    buckets: storeSeconds,
  })
  return {
    'run.started'() {
      starts.inc()
    },
    'run.ended'({ how }: Observed<'run.ended'>) {
      ends.inc({ how })
    },
    'session.unsaved'() {
      late.inc()
    },
    'session.lost'() {
      lost.inc()
    },
    'webhook.attempted'({ step }: Observed<'webhook.attempted'>) {
      webhooks.inc({ step })
    },
    'store.asked'({ operation, outcome, durationMs }: Observed<'store.asked'>) {
      store.of(nameOperation(operation), outcome).observe(durationMs / 1_000)
    },
  }
}
