import { type LimitExcess, type Limits, toPicoUsd } from '../domain/limits.ts'
import type { PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'
import { Meter } from './meter.ts'

/** A call counts against its own limits, those of whatever it is a part of, and the standing budgets. */
export function openMeter(parts: EngineParts, { tactic, config }: PreparedCall, options: ExecuteOptions): Meter {
  const { budgetUsd, tags = {}, tenant, keyBudget, parent, meter: above } = options
  const asked = budgetUsd === undefined ? {} : { budgetPicoUsd: toPicoUsd(budgetUsd) }
  const limits = stricter(config.limits, { ...options.limits, ...asked })
  const name = `the call of "${tactic.name}"`
  return new Meter(
    {
      name,
      limits,
      budgets: parts.budgets?.of(tactic, tags, { tenant, keyBudget }) ?? [],
      isSubTactic: parent !== undefined,
      onRefusal: refusalsOf(parts, tactic.name),
    },
    above,
  )
}

/** What is told of what the limits refuse to a tactic. */
export function refusalsOf({ observe }: Pick<EngineParts, 'observe'>, tactic: string) {
  return observe && (({ unit }: LimitExcess) => observe({ type: 'budget.refused', tactic, unit }))
}

function stricter(left: Limits, right: Limits): Limits {
  const limits = {
    budgetPicoUsd: smaller(left.budgetPicoUsd, right.budgetPicoUsd),
    llmCalls: smaller(left.llmCalls, right.llmCalls),
    tokens: smaller(left.tokens, right.tokens),
    depth: smaller(left.depth, right.depth),
  }
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
}

function smaller<Value extends number | bigint>(left: Value | undefined, right: Value | undefined): Value | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return left < right ? left : right
}

/** Milliseconds that a call may take from now on. The limit of a config holds for all attempts of a run together. */
export function timeoutOf({ config }: PreparedCall, { timeoutMs }: ExecuteOptions, goneMs: number): number | undefined {
  const most = config.limits.timeoutMs
  return smaller(timeoutMs, most === undefined ? undefined : Math.max(1, most - goneMs))
}
