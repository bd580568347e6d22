import { toRfc3339 } from '../domain/clock.ts'
import type { CostGroupTotals, CostReport, CostTotals } from '../domain/session-store.ts'

const dayMs = 86_400_000

export const noTotals: CostTotals = {
  sessions: 0,
  llmCalls: 0,
  promptTokens: 0,
  cachedPromptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  totalTokens: 0,
  promptPicoUsd: 0n,
  completionPicoUsd: 0n,
  pricedCalls: 0,
  unpricedCalls: 0,
}

/** The sum of everything but `sessions`: a session may have a share in both. */
export function addTotals(left: CostTotals, right: CostTotals): CostTotals {
  return {
    sessions: left.sessions,
    llmCalls: left.llmCalls + right.llmCalls,
    promptTokens: left.promptTokens + right.promptTokens,
    cachedPromptTokens: left.cachedPromptTokens + right.cachedPromptTokens,
    completionTokens: left.completionTokens + right.completionTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    totalTokens: left.totalTokens + right.totalTokens,
    promptPicoUsd: left.promptPicoUsd + right.promptPicoUsd,
    completionPicoUsd: left.completionPicoUsd + right.completionPicoUsd,
    pricedCalls: left.pricedCalls + right.pricedCalls,
    unpricedCalls: left.unpricedCalls + right.unpricedCalls,
  }
}

/** Every cost line is in exactly one group, so the sum of the groups is the total: one pass gives both. */
export function toCostReport(groups: readonly CostGroupTotals[], sessions: number): CostReport {
  return {
    data: groups.toSorted((left, right) => compareKeys(left.keys, right.keys)),
    total: groups.reduce<CostTotals>(addTotals, { ...noTotals, sessions }),
  }
}

/** One report of costs that were summed in parts, each session in one of them. */
export function mergeCosts(
  parts: readonly { readonly groups: readonly CostGroupTotals[]; readonly sessions: number }[],
): CostReport {
  const merged = new Map<string, CostGroupTotals>()
  for (const group of parts.flatMap(({ groups }) => groups)) {
    const name = JSON.stringify(group.keys)
    const known = merged.get(name)
    const sum = known && { ...addTotals(known, group), keys: group.keys, sessions: known.sessions + group.sessions }
    merged.set(name, sum ?? group)
  }
  const sessions = parts.reduce((sum, part) => sum + part.sessions, 0)
  return toCostReport([...merged.values()], sessions)
}

/** By code units, key by key, what has no value last. Not left to a database, each of which has an order of its own. */
function compareKeys(left: CostGroupTotals['keys'], right: CostGroupTotals['keys']): number {
  for (const [index, key] of left.entries()) {
    const other = right[index] ?? null
    if (key === other) continue
    if (key === null) return 1
    if (other === null) return -1
    return key < other ? -1 : 1
  }
  return 0
}

/** The number of a UTC day, counted from 1970-01-01. */
export function dayNumber(timeMs: number): number {
  return Math.trunc(timeMs / dayMs)
}

/** `2026-11-22` */
export function dayName(day: number): string {
  return toRfc3339(day * dayMs).slice(0, 10)
}
