import { openTurns } from './in-turn.ts'
import type { SessionTables } from './session-tables.ts'

/** Steps that one report waits for: hours of work. What then is not summed is read from the sessions. */
const stepsMax = 10_000

/**
 * Sums costs in advance of a report, step by step. Between two steps others have their turn, so that no save waits for long, even where the
 * first report in months is asked for; and of the reports that are asked for at once, one sums at a time.
 */
export function createCostSummer(
  sumCosts: SessionTables['sumCosts'],
): (...args: Parameters<typeof sumCosts>) => Promise<void> {
  const inTurn = openTurns()
  return async (...args) => {
    for (let step = 0; step < stepsMax; step++) {
      if (!(await inTurn(() => sumCosts(...args)))) return
    }
  }
}
