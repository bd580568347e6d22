import { z } from 'zod'
import { budgetUsdMax, type Limits, toPicoUsd } from './limits.ts'

const levelsMax = 32
const dayMs = 86_400_000

const count = (max: number) => z.int().min(0).max(max)

/** The `limits` of a config. */
export const limitsConfig = z
  .strictObject({
    budget_usd: z.number().positive().max(budgetUsdMax),
    llm_calls: count(1_000_000),
    tokens: count(1_000_000_000_000),
    depth: count(levelsMax),
    timeout_ms: z.int().min(1).max(dayMs),
  })
  .partial()

export function parseLimits(given: z.output<typeof limitsConfig>): Limits {
  const { budget_usd: budgetUsd, llm_calls: llmCalls, tokens, depth, timeout_ms: timeoutMs } = given
  return {
    ...(budgetUsd === undefined ? {} : { budgetPicoUsd: toPicoUsd(budgetUsd) }),
    ...(llmCalls === undefined ? {} : { llmCalls }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(depth === undefined ? {} : { depth }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}
