import { describe, expect, test } from 'vitest'
import { isTimeZone, readCron } from '../../src/runs/cron.ts'

/** The ticks from noon to the noon of a day, in UTC. */
function ticksUntilNoon(day: string, expression: string, timeZone = 'Europe/Berlin'): readonly string[] {
  const times = readCron(expression, timeZone)
  const noonMs = Date.parse(`${day}T12:00:00Z`)
  const ticks: string[] = []
  for (let atMs = times.next(noonMs - 86_400_000); atMs !== undefined && atMs < noonMs; atMs = times.next(atMs)) {
    // Whoever looks back finds what whoever looks ahead has found.
    expect(times.latest(atMs)).toBe(atMs)
    ticks.push(new Date(atMs).toISOString().slice(11, 16))
  }
  return ticks
}

describe('an expression', () => {
  test.each([
    ['5 fields', '30 6 * * 1-5', '2026-01-01T06:30:00Z'],
    ['6 fields, with seconds', '15 30 6 * * *', '2026-01-01T06:30:15Z'],
    ['a nickname', '@weekly', '2026-01-04T00:00:00Z'],
    ['names of days and months', '0 0 * FEB MON', '2026-02-02T00:00:00Z'],
    ['the last day of a month', '0 0 L * *', '2026-01-31T00:00:00Z'],
  ])('may have %s', (_what, expression, first) => {
    const { next, latest } = readCron(expression, 'UTC')
    expect(next(Date.UTC(2026, 0, 1))).toBe(Date.parse(first))
    expect(latest(Date.parse(first) + 1)).toBe(Date.parse(first))
    expect(latest(Date.parse(first) - 1)).toBeLessThan(Date.parse(first))
  })

  test('is meant in its zone', () => {
    expect(readCron('0 9 * * *', 'Asia/Kathmandu').next(Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 1, 3, 15))
  })

  test.each([
    ['too few fields', '* * * *', /five, six/],
    ['a year', '0 0 0 1 1 * 2027', /7 parts/],
    ['a minute that there is not', '61 * * * *', /Invalid value for minute: 61/],
    ['no time at all', '', /''/],
    ['a date', '2026-01-01T00:00:00', /It is a date/],
    ['a day that never comes', '0 0 31 2 *', /It never comes true/],
    ['a start that a service cannot know', '@reboot', /@reboot is not supported/],
  ])('has a mistake: %s', (_what, expression, message) => {
    expect(() => readCron(expression, 'UTC')).toThrow(message)
  })
})

/** At 02:00 it is 03:00, which is 01:00 in UTC. */
const summerBegins = '2026-03-29'
/** At 03:00 it is 02:00 again, which is 01:00 in UTC. */
const summerEnds = '2026-10-25'

describe('where a zone changes its clocks', () => {
  test('a fixed time in the hour that is skipped ticks once, as soon as the clocks have changed', () => {
    expect(ticksUntilNoon(summerBegins, '30 2 * * *')).toEqual(['01:00'])
    expect(ticksUntilNoon(summerBegins, '0,30 2 * * *')).toEqual(['01:00'])
    expect(ticksUntilNoon('2018-11-04', '0 0 * * *', 'America/Sao_Paulo')).toEqual(['03:00'])
  })

  test('a fixed time in the hour that comes twice ticks the first time', () => {
    expect(ticksUntilNoon(summerEnds, '30 2 * * *')).toEqual(['00:30'])
    expect(ticksUntilNoon(summerEnds, '0,30 2 * * *')).toEqual(['00:00', '00:30'])
  })

  test('what ticks each hour, or in steps, is passed over with what is skipped, and ticks twice in what comes twice', () => {
    const halfPast = '30 * * * *'
    const halfPasts = Array.from({ length: 24 }, (_, hour) => `${String((hour + 12) % 24).padStart(2, '0')}:30`)
    expect(ticksUntilNoon(summerBegins, halfPast)).toEqual(halfPasts)
    expect(ticksUntilNoon(summerEnds, halfPast)).toEqual(halfPasts)
    const evenHoursOfTheNight = '0 0-5/2 * * *'
    expect(ticksUntilNoon(summerBegins, evenHoursOfTheNight)).toEqual(['23:00', '02:00'])
    expect(ticksUntilNoon(summerEnds, evenHoursOfTheNight)).toEqual(['22:00', '00:00', '01:00', '03:00'])
  })
})

test.each(['UTC', 'Europe/Berlin', 'europe/berlin', 'Etc/GMT-2', 'America/Argentina/Buenos_Aires'])(
  '%s is a time zone',
  (zone) => expect(isTimeZone(zone)).toBe(true),
)
test.each(['', 'Mars/Phobos', '+02:00', 'local'])('"%s" is no time zone', (zone) =>
  expect(isTimeZone(zone)).toBe(false),
)
