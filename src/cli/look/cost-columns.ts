import { tellCostRecord } from './figures.ts'
import type { Column } from './table.ts'

/** What calls came to, as both cost reports have it. */
interface CostFigures {
  readonly llm_calls: number
  readonly prompt_tokens: number
  readonly cached_prompt_tokens: number
  readonly completion_tokens: number
  readonly reasoning_tokens: number
  readonly cost_usd: number | null
  readonly unpriced_calls: number
}

export const costColumns: readonly Column[] = [
  { title: 'LLM CALLS', align: 'right' },
  { title: 'PROMPT', align: 'right', canGo: true },
  { title: 'CACHED', align: 'right', canGo: true },
  { title: 'COMPLETION', align: 'right', canGo: true },
  { title: 'REASONING', align: 'right', canGo: true },
  { title: 'COST', align: 'right' },
]

/** The cells of {@link costColumns}. */
export function costCells(figures: CostFigures): readonly string[] {
  return [
    String(figures.llm_calls),
    String(figures.prompt_tokens),
    String(figures.cached_prompt_tokens),
    String(figures.completion_tokens),
    String(figures.reasoning_tokens),
    tellCostRecord(figures),
  ]
}
