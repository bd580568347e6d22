import { type Clock, timerMaxMs } from '../domain/clock.ts'
import type { Scope } from '../domain/tactic.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import { type CallJournal, steadyValue } from './run-journal.ts'

const sleepMaxMs = 365 * 86_400_000

/** Time and chance for a tactic: in a run they are journalled, so that another attempt has the same. */
export function steadyScope(
  clock: Clock,
  signal: AbortSignal,
  journal: CallJournal | undefined,
): Pick<Scope, 'now' | 'random' | 'sleep'> {
  const steady = async <Value>(name: string, make: () => Value): Promise<Value> => {
    if (journal === undefined) return make()
    return untilAborted(() => steadyValue(journal, name, make), signal)
  }
  return {
    now: () => steady('now', () => clock.now()),
    random: () => steady('random', () => clock.random()),
    async sleep(durationMs) {
      if (!(durationMs >= 0 && durationMs <= sleepMaxMs)) {
        throw new RangeError(`sleep(durationMs): the duration is a number of ms from 0 to ${sleepMaxMs}.`)
      }
      const wakesAtMs = await steady(`sleep ${durationMs}`, () => clock.now() + durationMs)
      for (let leftMs = wakesAtMs - clock.now(); leftMs > 0; leftMs = wakesAtMs - clock.now()) {
        await clock.sleep(Math.min(leftMs, timerMaxMs), signal)
      }
    },
  }
}
