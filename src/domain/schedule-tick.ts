import type { NewRun, RunState } from './run.ts'

/** What a tick does where an earlier run of its schedule has not ended: it starts none, starts one all the same, or cancels those first. */
export type ScheduleOverlap = 'skip' | 'allow' | 'cancel'

/** A time at which a schedule starts a run. */
export interface ScheduleTick {
  readonly schedule: string
  /** In ms since 1970. */
  readonly atMs: number
  readonly overlap: ScheduleOverlap
  /** What it starts, with the name of the schedule in it. Null: nothing; it is noted as the first one that was taken, if it is. */
  readonly run: NewRun | null
}

/**
 * - `started`: its run is queued.
 * - `skipped`: nothing is started by anybody, as an earlier run has not ended, or there was nothing to start.
 * - `taken`: this tick, or a later one of the schedule, was taken before.
 */
export type TickAnswer = 'started' | 'skipped' | 'taken'

/** The latest tick of a schedule that was taken. */
export interface LastTick {
  readonly schedule: string
  readonly atMs: number
  /** Null: it started none. */
  readonly runId: string | null
  /** Null also where its run was deleted. */
  readonly state: RunState | null
}
