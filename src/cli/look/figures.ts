import { type Cost, isUnpriced, toUsd } from '../../domain/cost.ts'

/** Money as people read it: to a millionth of a dollar. What is exact is in the JSON. */
export function tellUsd(usd: number): string {
  if (usd > 0 && usd < 1e-6) return '<$0.000001'
  return `$${usd.toFixed(6)}`
}

/** A cost, which may not be known, or only in part. */
export function tellCost(cost: Pick<Cost, 'promptPicoUsd' | 'completionPicoUsd' | 'pricedCalls' | 'unpricedCalls'>) {
  if (isUnpriced(cost)) return 'unpriced'
  return tellKnownUsd(toUsd(cost.promptPicoUsd + cost.completionPicoUsd), cost.unpricedCalls)
}

/** The same of a cost that comes as JSON. */
export function tellCostRecord(cost: { readonly cost_usd: number | null; readonly unpriced_calls: number }): string {
  return cost.cost_usd === null ? 'unpriced' : tellKnownUsd(cost.cost_usd, cost.unpriced_calls)
}

function tellKnownUsd(usd: number, unpricedCalls: number): string {
  return unpricedCalls > 0 ? `≥ ${tellUsd(usd)}` : tellUsd(usd)
}

/** `0.4 s`, `12.3 s`, `2 min 5 s`, `3 h 20 min` */
export function tellDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`
  // From here on tenths, and later seconds, are rounded before they are parted: never `60.0 s`.
  const tenths = Math.round(durationMs / 100)
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A count with its noun: `1 session`, `2 sessions`. */
export function tellCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** RFC 3339 to the second, in UTC, as `--from` takes it. */
export function tellTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`
}
