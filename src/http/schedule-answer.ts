import { toRfc3339 } from '../domain/clock.ts'
import type { ScheduleStatus } from '../runs/schedules.ts'

/** All schedules, as `GET /schedules` tells them. */
export function toScheduleList(statuses: readonly ScheduleStatus[]) {
  return { data: statuses.map(toScheduleRecord), next_cursor: null }
}

function toScheduleRecord({ schedule, nextAtMs, last }: ScheduleStatus) {
  const { name, cron, timeZone, overlap, catchUp, call } = schedule
  return {
    name,
    tactic: call.tactic.name,
    tactic_id: call.tactic.id,
    cron,
    time_zone: timeZone,
    overlap,
    catch_up: catchUp,
    next_at: nextAtMs === null ? null : toRfc3339(nextAtMs),
    last: last === null ? null : { at: toRfc3339(last.atMs), run_id: last.runId, state: last.state },
  }
}
