import type { ModelPlace } from '../domain/observation.ts'
import { boundLabel, type NameLabel, otherValue } from './label-names.ts'
import { childOf } from './label-series.ts'

/** Combinations of tactic, agent and model. Those beyond are told together. */
export const seriesMax = 1_000

/** Where figures of models are told, and what is only summed as it is counted: money, in whole pico-USD, and tokens. */
export interface ModelSeries {
  readonly labels: { readonly tactic: string; readonly agent: string; readonly model: string }
  picoUsd: bigint
  readonly tokens: Record<TokenKind, number>
}

/** What `cached_prompt` counts is a part of `prompt`, and `reasoning` of `completion`. */
export type TokenKind = 'prompt' | 'cached_prompt' | 'completion' | 'reasoning'

export interface ModelSeriesTable {
  /** Always the same one for the same names. Nothing is allocated for one that is known. */
  of(place: ModelPlace): ModelSeries
  all(): Iterable<ModelSeries>
}

/** By tactic, agent and model, in this order. */
type Tree = Map<string, Map<string, Map<string, ModelSeries>>>

export function openModelSeries(nameTactic: NameLabel, nameModel: NameLabel): ModelSeriesTable {
  const nameAgent = boundLabel()
  const tree: Tree = new Map()
  const all: ModelSeries[] = []

  function open(labels: ModelSeries['labels']): ModelSeries {
    const models = childOf(childOf(tree, labels.tactic), labels.agent)
    const known = models.get(labels.model)
    if (known !== undefined) return known
    const series: ModelSeries = {
      labels,
      picoUsd: 0n,
      tokens: { prompt: 0, cached_prompt: 0, completion: 0, reasoning: 0 },
    }
    models.set(labels.model, series)
    all.push(series)
    return series
  }

  return {
    of({ tactic, agent, model }) {
      const known = tree.get(tactic)?.get(agent)?.get(model)
      if (known !== undefined) return known
      const labels = { tactic: nameTactic(tactic), agent: nameAgent(agent), model: nameModel(model) }
      const named = tree.get(labels.tactic)?.get(labels.agent)?.get(labels.model)
      if (named !== undefined) return named
      if (all.length < seriesMax) return open(labels)
      return open({ tactic: otherValue, agent: otherValue, model: otherValue })
    },
    all: () => all,
  }
}
