import { Cron } from 'croner'

/** When a schedule is due. All times are in ms since 1970. */
export interface CronTimes {
  /** The first tick after a time. Undefined: there is none. */
  next(afterMs: number): number | undefined
  /** The last tick that is not after a time. Undefined: there was none. */
  latest(untilMs: number): number | undefined
}

/**
 * The ticks of a cron expression in a time zone: 5 fields, 6 with seconds in front, or a nickname such as `@daily`.
 *
 * Where a zone changes its clocks, a fixed time of the day, with no `*` or step in seconds, minutes and hours, has one tick each day: in the hour
 * that is skipped as soon as the clocks have changed, in the one that comes twice the first time. All others follow the clocks: what is skipped has
 * no tick, and what comes twice has two.
 *
 * @throws Error that says what is wrong with the expression, or that it never comes true.
 */
export function readCron(expression: string, timeZone: string): CronTimes {
  const cron = new Cron(expression, {
    paused: true,
    timezone: timeZone,
    mode: '5-or-6-parts',
    fixedTimeRule: 'no-wildcard',
  })
  // It takes a date as well, of which there would be one tick at the most.
  if (cron.getPattern() === undefined) throw new Error('It is a date.')
  if (cron.nextRun(new Date(0)) === null) throw new Error('It never comes true.')
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
    // What is asked for are ticks before a time.
    latest: (untilMs) => cron.previousRuns(1, new Date(untilMs + 1))[0]?.getTime(),
  }
}

/** Whether a zone is one of the IANA database, in any case: `Europe/Berlin`, `UTC`. An offset is none, as it knows no summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
