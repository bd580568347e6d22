import { Counter, type Registry } from 'prom-client'
import { type Cost, picoUsdPerUsd } from '../domain/cost.ts'
import type { Observed } from '../domain/observation.ts'
import { callSeconds } from './buckets.ts'
import type { NameLabel } from './label-names.ts'
import { type ModelFigures, type ModelSeries, openModelSeries } from './model-series.ts'
import { openCounts, openDurations } from './quick-metrics.ts'

const place = ['tactic', 'agent', 'model'] as const

/** Counts requests to models: how they ended, how long they took, and what they cost. */
export function countModels(registry: Registry, nameTactic: NameLabel, nameModel: NameLabel) {
  const registers = [registry]
  const table = openModelSeries(nameTactic, nameModel)
  const requests = openCounts(registry, {
    name: 'lllm_llm_calls_total',
    help: 'Requests to models, by how they ended: ok, or the code of the error.',
    labelNames: [...place, 'outcome'],
  })
  const durations = openDurations(registry, {
    name: 'lllm_llm_call_duration_seconds',
    help: 'Time that a model took for a request, without the wait for its turn.',
    labelNames: ['model'],
    buckets: callSeconds,
  })
  const unpriced = new Counter({
    name: 'lllm_unpriced_calls_total',
    help: 'Requests to models that may have been billed and whose price is not known: what they cost is not in lllm_cost_usd_total.',
    labelNames: place,
    registers,
  })
  const retries = new Counter({
    name: 'lllm_retries_total',
    help: 'Requests that were made once more: recall, because the provider failed; exception, because the reply was of no use; fallback, of the next model.',
    labelNames: ['model', 'reason'],
    registers,
  })
  const tools = new Counter({
    name: 'lllm_tool_calls_total',
    help: 'Tools that were run, by how that ended: ok or error.',
    labelNames: ['tactic', 'outcome'],
    registers,
  })
  registerSums(registry, () => table.all())

  return {
    'model.asked'(asked: Observed<'model.asked'>) {
      const { outcome, durationMs, cost } = asked
      const { labels, figures } = table.of(asked)
      requests.of(labels.tactic, labels.agent, labels.model, outcome).count++
      durations.of(labels.model).observe(durationMs / 1_000)
      addTokens(figures, cost)
      if (cost.pricedCalls > 0) figures.picoUsd += BigInt(cost.promptPicoUsd + cost.completionPicoUsd)
      if (cost.unpricedCalls > 0) unpriced.inc(labels, cost.unpricedCalls)
    },
    'model.retried'({ model, reason }: Observed<'model.retried'>) {
      retries.inc({ model: nameModel(model), reason })
    },
    'tool.ended'({ tactic, isOk }: Observed<'tool.ended'>) {
      tools.inc({ tactic: nameTactic(tactic), outcome: isOk ? 'ok' : 'error' })
    },
  }
}

function addTokens({ tokens }: ModelFigures, cost: Cost) {
  tokens.prompt += cost.promptTokens
  tokens.cached_prompt += cost.cachedPromptTokens
  tokens.completion += cost.completionTokens
  tokens.reasoning += cost.reasoningTokens
}

/**
 * What is summed becomes figures where they are read. Money is summed exactly, so that what is told in USD is a floating-point number next
 * to the true sum, however many calls there were.
 */
function registerSums(registry: Registry, all: () => Iterable<ModelSeries>) {
  new Counter({
    name: 'lllm_cost_usd_total',
    help: 'What requests to models cost, in USD, as far as their prices are known.',
    labelNames: place,
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, figures } of all()) this.inc(labels, Number(figures.picoUsd) / picoUsdPerUsd)
    },
  })
  new Counter({
    name: 'lllm_tokens_total',
    help: 'Tokens as providers counted them. cached_prompt is a part of prompt, reasoning a part of completion.',
    labelNames: [...place, 'kind'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { labels, figures } of all()) {
        for (const [kind, count] of Object.entries(figures.tokens)) if (count > 0) this.inc({ ...labels, kind }, count)
      }
    },
  })
}
