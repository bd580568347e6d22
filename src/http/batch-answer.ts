import { addCosts, costUsd, noCost } from '../domain/cost.ts'
import { LllmError } from '../domain/errors.ts'
import type { BatchItem } from '../engine/engine.ts'
import { sessionMember } from './call-answer.ts'
import type { ReturnSession } from './call-request.ts'
import { type ProblemOrigin, toProblem } from './problem.ts'

type ItemStatus = 'success' | 'failure' | 'cancelled' | 'skipped'

/** The answer to a batch: its items in the order of the tasks, and their sums. */
export function toBatchAnswer(items: readonly BatchItem[], returnSessions: ReturnSession, origin: ProblemOrigin) {
  const tally = openTally()
  for (const item of items) tally.add(item)
  return {
    items: items
      .map((item) => toBatchItem(item, returnSessions, origin))
      .sort((left, right) => left.index - right.index),
    ...tally.sums(),
  }
}

/** Adds a batch up, item by item. */
export function openTally() {
  const counts: Record<ItemStatus, number> = { success: 0, failure: 0, cancelled: 0, skipped: 0 }
  let cost = noCost
  return {
    add(item: BatchItem) {
      counts[statusOf(item)] += 1
      if (item.outcome !== null) cost = addCosts([cost, item.outcome.session.cost])
    },
    sums: () => ({ counts, cost_usd: costUsd(cost) }),
  }
}

function statusOf({ outcome }: BatchItem): ItemStatus {
  if (outcome === null) return 'skipped'
  if (outcome.ok) return 'success'
  return outcome.session.state === 'cancelled' ? 'cancelled' : 'failure'
}

/** What a batch tells of one of its tasks. */
export function toBatchItem(item: BatchItem, returnSessions: ReturnSession, origin: ProblemOrigin) {
  const { index, outcome } = item
  const status = statusOf(item)
  if (outcome === null) {
    return { index, status, error: toProblem(skipped(), origin), session_id: null, cost_usd: 0 }
  }
  const { session } = outcome
  return {
    index,
    status,
    ...(outcome.ok ? { result: outcome.output ?? null } : { error: toProblem(outcome.error, origin) }),
    session_id: session.id,
    cost_usd: costUsd(session.cost),
    ...sessionMember(session, returnSessions),
  }
}

function skipped() {
  return new LllmError('skipped', 'The task was never started, because the batch ended before.')
}
