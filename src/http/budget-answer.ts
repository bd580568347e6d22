import type { BudgetScope } from '../domain/budget.ts'
import { toRfc3339 } from '../domain/clock.ts'
import { toShownAmount } from '../domain/limits.ts'
import { defaultTenant } from '../domain/tenant.ts'
import type { BudgetStatus, SpentBudget } from '../engine/budget-book.ts'

/**
 * The standing budgets of a tenant, as `GET /budgets` tells them. Those that all tenants have together are nobody's business but the
 * operator's, who is the default tenant.
 */
export function toBudgetList(statuses: readonly BudgetStatus[], tenant: string) {
  const own = statuses.filter(({ budget }) => (budget.tenant ?? defaultTenant) === tenant)
  return { data: own.map(toBudgetRecord), next_cursor: null }
}

function toBudgetRecord({ budget, window, values, valueCount, ...spent }: BudgetStatus) {
  const { scope, per, limitPicoUsd } = budget
  const hasValues = scope.kind === 'tag' && scope.value === null
  return {
    ...toScopeRecord(scope),
    tenant: budget.tenant ?? null,
    per,
    limit_usd: usd(limitPicoUsd),
    ...toSpentRecord(spent),
    left_usd: hasValues ? null : left(limitPicoUsd, spent),
    starts_at: toRfc3339(window.startsAtMs),
    resets_at: toRfc3339(window.endsAtMs),
    values: values.map(({ value, ...of }) => ({ value, ...toSpentRecord(of), left_usd: left(limitPicoUsd, of) })),
    value_count: valueCount,
  }
}

function toScopeRecord(scope: BudgetScope) {
  return {
    scope: scope.kind,
    tactic: scope.kind === 'tactic' ? scope.tactic : null,
    tag: scope.kind === 'tag' ? scope.key : null,
    value: scope.kind === 'tag' ? scope.value : null,
    key: scope.kind === 'key' ? scope.account : null,
  }
}

function toSpentRecord({ spentPicoUsd, reservedPicoUsd }: SpentBudget) {
  return { spent_usd: usd(spentPicoUsd), reserved_usd: usd(reservedPicoUsd) }
}

/** Nothing is left of a budget that was made smaller than what had been spent. */
function left(limitPicoUsd: bigint, { spentPicoUsd, reservedPicoUsd }: SpentBudget): number {
  const rest = limitPicoUsd - spentPicoUsd - reservedPicoUsd
  return usd(rest > 0n ? rest : 0n)
}

function usd(picoUsd: bigint): number {
  return toShownAmount('usd', picoUsd)
}
