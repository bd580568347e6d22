import type { ScheduleOverlap } from '../domain/schedule-tick.ts'
import type { PreparedCall } from '../engine/engine.ts'
import type { CronTimes } from './cron.ts'
import type { RunOptions } from './runs.ts'

/** What becomes of ticks at which nobody worked: they are dropped, or the last of them is started once. */
export type CatchUp = 'none' | 'last'

/** Starts runs of one call by the clock. Immutable. */
export interface Schedule {
  readonly name: string
  /** Whose its runs are. */
  readonly tenant: string
  /** As it was written. */
  readonly cron: string
  readonly timeZone: string
  readonly times: CronTimes
  readonly overlap: ScheduleOverlap
  readonly catchUp: CatchUp
  readonly call: PreparedCall
  readonly options: Omit<RunOptions, 'id' | 'runAtMs' | 'schedule'>
}
