import type { Schedule } from './schedule.ts'

/** A tick that is later than this was missed. It is no later where a process is slow, or starts again. In ms. */
export const lateMaxMs = 60_000

export interface PlannedTick {
  /** The tick to start, in ms since 1970: at once where that is past. Undefined: there is none any more. */
  readonly atMs: number | undefined
  /** The last of the ticks that are not started any more. */
  readonly missedAtMs?: number
}

/** What a schedule does next whose ticks until `afterMs` are done with. */
export function planTick(
  { times, catchUp }: Pick<Schedule, 'times' | 'catchUp'>,
  afterMs: number,
  nowMs: number,
): PlannedTick {
  const firstMs = times.next(afterMs)
  const inTimeFromMs = nowMs - lateMaxMs
  if (firstMs === undefined || firstMs >= inTimeFromMs) return { atMs: firstMs }
  const missedAtMs = times.latest(inTimeFromMs - 1)
  const inTimeMs = times.next(inTimeFromMs - 1)
  // Where one comes in time all the same, that is the last one.
  const catchesUp = catchUp === 'last' && (inTimeMs === undefined || inTimeMs > nowMs)
  if (catchesUp) return { atMs: missedAtMs }
  return { atMs: inTimeMs, ...(missedAtMs === undefined ? {} : { missedAtMs }) }
}
