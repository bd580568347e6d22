import type { BoundConfig } from '../engine/engine.ts'

/** Whether a call with this config can come to a simulated model, itself or through its sub-tactics. */
export function canBeSimulated({ agents, subTactics }: BoundConfig): boolean {
  return (
    [...agents.values()].some(({ invoker }) => invoker.simulated) ||
    [...subTactics.values()].some(({ config }) => canBeSimulated(config))
  )
}
