import { noCost } from '../../src/domain/cost.ts'
import type { Observation } from '../../src/domain/observation.ts'
import { createMetrics } from '../../src/telemetry/create-metrics.ts'
import { type Exposition, readExposition } from '../support/exposition.ts'

const place = { tactic: 'essay', agent: 'writer', model: 'large' }
const cost = {
  ...noCost,
  promptTokens: 1,
  cachedPromptTokens: 1,
  completionTokens: 1,
  reasoningTokens: 1,
  unpricedCalls: 1,
}

/** Something of each kind that is observed. The type says when one is missing. */
const everything: { readonly [Type in Observation['type']]: Extract<Observation, { readonly type: Type }> } = {
  'request.ended': { type: 'request.ended', route: '/healthz', method: 'GET', status: 200, durationMs: 1 },
  'calls.queued': { type: 'calls.queued', change: 1 },
  'call.started': { type: 'call.started', tactic: 'essay' },
  'call.ended': { type: 'call.ended', tactic: 'essay', state: 'failure', code: 'tactic-failed', durationMs: 1 },
  'sub-call.ended': { type: 'sub-call.ended', tactic: 'essay', state: 'success' },
  'model.asked': { type: 'model.asked', ...place, outcome: 'ok', durationMs: 1, cost },
  'model.retried': { type: 'model.retried', ...place, reason: 'recall' },
  'tool.ended': { type: 'tool.ended', tactic: 'essay', agent: 'writer', isOk: true },
  'budget.refused': { type: 'budget.refused', tactic: 'essay', unit: 'usd' },
  'run.started': { type: 'run.started' },
  'run.ended': { type: 'run.ended', how: 'ended' },
  'session.unsaved': { type: 'session.unsaved' },
  'session.lost': { type: 'session.lost' },
  'webhook.attempted': { type: 'webhook.attempted', step: 'delivered' },
  'store.asked': { type: 'store.asked', operation: 'sessions.save', outcome: 'ok', durationMs: 1 },
}

/** A page on which no figure is missing. */
export async function readAllFigures(): Promise<Exposition> {
  const metrics = createMetrics({ version: '1.0.0' })
  metrics.start()
  metrics.watch({
    now: Date.now,
    unsavedSessions: () => 0,
    models: () => [{ invoker: 'main', model: 'large', underWay: 0, waiting: 0, isResting: false }],
    runs: async () => ({ queued: 0, running: 0, oldestDueAtMs: null }),
  })
  for (const observation of Object.values(everything)) metrics.observe(observation)
  return readExposition(await metrics.read())
}

/** The labels of a metric; of a histogram, those that its series share. */
export function labelsOf({ samples, types }: Exposition, metric: string): readonly string[] {
  const isHistogram = types.get(metric) === 'histogram'
  const found = samples.find(({ name }) => name === (isHistogram ? `${metric}_count` : metric))
  return Object.keys(found?.labels ?? {})
}
