import { type Limits, toPicoUsd } from '../domain/limits.ts'
import { defaultTenant } from '../domain/tenant.ts'
import type { BoundTactic, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import type { ExecuteOptions } from './execute.ts'
import { Meter } from './meter.ts'

/** A call counts against its own limits, those of whatever it is a part of, and the standing budgets. */
export function openMeter(parts: EngineParts, call: PreparedCall, options: ExecuteOptions): Meter {
  const { limits } = call.config
  const asksForNone = options.limits === undefined && options.budgetUsd === undefined
  return meterOf(parts, call.tactic, options, asksForNone ? limits : stricter(limits, askedLimits(options)))
}

/** The same for a call of another service's tactic, which has the limits that it is called with, and none of a config here. */
export function openRemoteMeter(parts: EngineParts, { tactic }: PreparedCall, options: ExecuteOptions): Meter {
  return meterOf(parts, tactic, options, askedLimits(options))
}

function askedLimits({ limits, budgetUsd }: ExecuteOptions): Limits {
  return { ...limits, ...(budgetUsd === undefined ? {} : { budgetPicoUsd: toPicoUsd(budgetUsd) }) }
}

function meterOf(parts: EngineParts, tactic: BoundTactic, options: ExecuteOptions, limits: Limits): Meter {
  const { tags = {}, tenant = defaultTenant, keyBudget, parent, meter: above } = options
  const { budgets, observe } = parts
  return new Meter(
    {
      name: `the call of "${tactic.name}"`,
      limits,
      budgets: budgets?.of(tactic, tags, { tenant, keyBudget }) ?? [],
      tellsShared: tenant === defaultTenant,
      isSubTactic: parent !== undefined,
      onRefusal: observe && (({ unit }) => observe({ type: 'budget.refused', tactic: tactic.name, unit })),
    },
    above,
  )
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
