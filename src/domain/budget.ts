/** What a standing budget is about. A tag without a value: each value of the tag has a budget of its own. */
export type BudgetScope =
  | { readonly kind: 'total' }
  /** The calls of a tactic, as a sub-tactic too, and everything below them. By its name, or by `package::name`. */
  | { readonly kind: 'tactic'; readonly tactic: string }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string | null }
  /** What is called with a key, by the account of its budget. */
  | { readonly kind: 'key'; readonly account: string }

export type BudgetPeriod = 'day' | 'month'

/** A sum of money that may be spent in each day or month (UTC), whoever spends it. */
export interface StandingBudget {
  readonly scope: BudgetScope
  /** Whose calls it is about. Left out: those of all tenants together. */
  readonly tenant?: string
  readonly limitPicoUsd: bigint
  readonly per: BudgetPeriod
}

/** A day or a month in UTC. Times are in ms since 1970. */
export interface BudgetWindow {
  readonly startsAtMs: number
  /** Exclusive: when the budget starts anew. */
  readonly endsAtMs: number
}

/** The window that a time is in. */
export function windowAt(per: BudgetPeriod, timeMs: number): BudgetWindow {
  const time = new Date(timeMs)
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()]
  return per === 'day'
    ? { startsAtMs: Date.UTC(year, month, day), endsAtMs: Date.UTC(year, month, day + 1) }
    : { startsAtMs: Date.UTC(year, month), endsAtMs: Date.UTC(year, month + 1) }
}

/** The identity of a budget, by which what was spent is kept. It outlives a change of the limit. */
export function budgetId({ scope, tenant, per }: Pick<StandingBudget, 'scope' | 'tenant' | 'per'>): string {
  const id = `${per} ${scopeId(scope)}`
  // Of a key, its own budget is the tenant's already.
  return tenant === undefined || scope.kind === 'key' ? id : `${tenant}: ${id}`
}

function scopeId(scope: BudgetScope): string {
  switch (scope.kind) {
    case 'total':
      return 'total'
    case 'tactic':
      return `tactic ${scope.tactic}`
    case 'tag':
      return scope.value === null ? `tag ${scope.key}` : `tag ${scope.key}=${scope.value}`
    case 'key':
      return `key ${scope.account}`
  }
}

/** How a budget is called in messages. */
export function budgetName({ scope, per }: Pick<StandingBudget, 'scope' | 'per'>, value = ''): string {
  switch (scope.kind) {
    case 'total':
      return `the total budget per ${per}`
    case 'tactic':
      return `the budget per ${per} of the tactic "${scope.tactic}"`
    case 'tag':
      return `the budget per ${per} of the tag ${scope.key}=${scope.value ?? value}`
    case 'key':
      return `the budget per ${per} of the key`
  }
}
