import { Counter, Gauge, type Registry } from 'prom-client'
import { errorCodes } from '../domain/errors.ts'
import type { Observed } from '../domain/observation.ts'
import { callSeconds } from './buckets.ts'
import { type NameLabel, otherValue } from './label-names.ts'
import { openCounts, openDurations } from './quick-metrics.ts'

/** Counts calls of tactics: those from outside, and those that tactics make of each other. */
export function countCalls(registry: Registry, nameTactic: NameLabel) {
  const registers = [registry]
  const ended = openCounts(registry, {
    name: 'lllm_calls_total',
    help: 'Calls of tactics from outside that have ended: of clients, items of batches, attempts of runs.',
    labelNames: ['tactic', 'state'],
  })
  const failures = new Counter({
    name: 'lllm_call_failures_total',
    help: 'Calls from outside that ended in an error, by its code.',
    labelNames: ['tactic', 'code'],
    registers,
  })
  const durations = openDurations(registry, {
    name: 'lllm_call_duration_seconds',
    help: 'Time that a call from outside took.',
    labelNames: ['tactic'],
    buckets: callSeconds,
  })
  const inFlight = new Gauge({ name: 'lllm_calls_in_flight', help: 'Calls from outside under way.', registers })
  const queued = new Gauge({
    name: 'lllm_calls_queued',
    help: 'Calls that wait for a place in the service; a batch counts as many as it has workers.',
    registers,
  })
  const subCalls = new Counter({
    name: 'lllm_sub_calls_total',
    help: 'Calls that tactics made of their sub-tactics and that have ended.',
    labelNames: ['tactic', 'state'],
    registers,
  })
  const refusals = new Counter({
    name: 'lllm_budget_refusals_total',
    help: 'Requests to models, and calls of sub-tactics, that a budget or another limit refused.',
    labelNames: ['tactic', 'unit'],
    registers,
  })
  return {
    'call.started'() {
      inFlight.inc()
    },
    'call.ended'({ tactic: name, state, code, durationMs }: Observed<'call.ended'>) {
      const tactic = nameTactic(name)
      inFlight.dec()
      ended.of(tactic, state).count++
      if (code !== null) failures.inc({ tactic, code: nameCode(code) })
      durations.of(tactic).observe(durationMs / 1_000)
    },
    'calls.queued'({ change }: Observed<'calls.queued'>) {
      queued.inc(change)
    },
    'sub-call.ended'({ tactic, state }: Observed<'sub-call.ended'>) {
      subCalls.inc({ tactic: nameTactic(tactic), state })
    },
    'budget.refused'({ tactic, unit }: Observed<'budget.refused'>) {
      refusals.inc({ tactic: nameTactic(tactic), unit })
    },
  }
}

/** The code of a tactic's author, who is held by no compiler, can throw an error with any code. */
function nameCode(code: string): string {
  return Object.hasOwn(errorCodes, code) ? code : otherValue
}
