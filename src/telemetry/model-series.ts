import type { ModelPlace } from '../domain/observation.ts'
import { boundLabel, type NameLabel, otherValue } from './label-names.ts'
import { type LabelledFigures, LabelSeries } from './label-series.ts'

/** Combinations of tactic, agent and model. Those beyond are told together. */
export const seriesMax = 1_000

/** What is only summed as it is counted: money, in whole pico-USD, and tokens. */
export interface ModelFigures {
  picoUsd: bigint
  readonly tokens: Record<TokenKind, number>
}

/** What `cached_prompt` counts is a part of `prompt`, and `reasoning` of `completion`. */
export type TokenKind = 'prompt' | 'cached_prompt' | 'completion' | 'reasoning'

export type ModelSeries = LabelledFigures<ModelFigures, 'tactic' | 'agent' | 'model'>

export interface ModelSeriesTable {
  /** Always the same one for the same names. Nothing is allocated for one that is known. */
  of(place: ModelPlace): ModelSeries
  all(): Iterable<ModelSeries>
}

export function openModelSeries(nameTactic: NameLabel, nameModel: NameLabel): ModelSeriesTable {
  const nameAgent = boundLabel()
  const series = new LabelSeries(['tactic', 'agent', 'model'] as const, openFigures)
  return {
    of({ tactic, agent, model }) {
      const known = series.find(tactic, agent, model)
      if (known !== undefined) return known
      const names = [nameTactic(tactic), nameAgent(agent), nameModel(model)] as const
      const isThereRoom = series.all().length < seriesMax || series.find(...names) !== undefined
      return isThereRoom ? series.at(...names) : series.at(otherValue, otherValue, otherValue)
    },
    all: () => series.all(),
  }
}

function openFigures(): ModelFigures {
  return { picoUsd: 0n, tokens: { prompt: 0, cached_prompt: 0, completion: 0, reasoning: 0 } }
}
