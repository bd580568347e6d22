import { isLllmError, LllmError } from './domain/errors.ts'
import type { Engine } from './engine/engine.ts'
import { toRunOptions } from './http/run-request.ts'
import { readPlacedYaml } from './packages/read-yaml.ts'
import { type CronTimes, isTimeZone, readCron } from './runs/cron.ts'
import type { Schedule } from './runs/schedule.ts'
import { type PlacedMistake, parseSchedules, placedMistake, type WrittenSchedule } from './schedules-file.ts'
import { readSettingFile } from './setting-file.ts'
import type { Settings } from './settings.ts'

/** At most this many mistakes of the file are told at once. */
const mistakesMax = 10

/** Who knows whether a schedule could start its runs. */
export interface ScheduleJudges {
  readonly engine: Pick<Engine, 'find' | 'prepare' | 'content'>
  /** Says why the ends of runs may not be told at a URL; undefined: they may. */
  readonly judgeWebhook: (url: string) => string | undefined
}

/**
 * Reads a file of schedules.
 *
 * @throws LllmError `invalid-settings` that tells each mistake, its place, and what would be right.
 */
export async function readSchedules(
  file: string,
  settings: Pick<Settings, 'runTimeoutMs'>,
  judges: ScheduleJudges,
): Promise<readonly Schedule[]> {
  const yaml = readPlacedYaml(await readSettingFile(file, 'LLLM_SCHEDULES'), { file, code: 'invalid-settings' })
  const parsed = parseSchedules(yaml.value, settings)
  const mistakes: PlacedMistake[] = parsed.ok ? [] : [...parsed.mistakes]
  const schedules: Schedule[] = []
  for (const [index, written] of parsed.ok ? parsed.schedules.entries() : []) {
    const mistake = (key: string, message: string) => mistakes.push(placedMistake(['schedules', index, key], message))
    const schedule = await readSchedule(written, judges, mistake)
    if (schedule !== undefined) schedules.push(schedule)
  }
  if (mistakes.length === 0) return schedules
  const told = mistakes.slice(0, mistakesMax).map(({ path, message }) => yaml.mistakeAt(path, message).message)
  throw new LllmError('invalid-settings', told.join('\n'), { file })
}

type TellMistake = (key: keyof WrittenSchedule, message: string) => void

/** Undefined: it has mistakes, which are told. */
async function readSchedule(
  written: WrittenSchedule,
  judges: ScheduleJudges,
  mistake: TellMistake,
): Promise<Schedule | undefined> {
  const { name, tenant, cron, time_zone: timeZone, overlap, catch_up: catchUp } = written
  const times = readTimes(written, mistake)
  const refusal = written.webhook && judges.judgeWebhook(written.webhook.url)
  if (refusal !== undefined) mistake('webhook', `The URL ${refusal}.`)
  const call = await prepare(written, judges.engine, mistake)
  if (times === undefined || call === undefined || refusal !== undefined) return undefined
  return {
    name,
    tenant,
    cron,
    timeZone,
    times,
    overlap,
    catchUp,
    call,
    options: toRunOptions(written, written.budget_usd),
  }
}

function readTimes({ cron, time_zone: timeZone }: WrittenSchedule, mistake: TellMistake): CronTimes | undefined {
  if (!isTimeZone(timeZone)) {
    mistake(
      'time_zone',
      `There is no time zone "${timeZone}". It must be one of the IANA database, such as Europe/Berlin.`,
    )
    return undefined
  }
  try {
    return readCron(cron, timeZone)
  } catch (error) {
    mistake('cron', `"${cron}" is no cron expression such as "30 6 * * 1-5". ${tellReason(error)}`)
    return undefined
  }
}

/** In the words of the library, as far as they hold here. */
function tellReason(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return reason.replace(/^CronPattern: /, '').replace('exactly five, six, or seven', 'five or six')
}

async function prepare(
  { tactic, config, task }: WrittenSchedule,
  engine: ScheduleJudges['engine'],
  mistake: TellMistake,
): Promise<Schedule['call'] | undefined> {
  try {
    return await engine.prepare(engine.find(tactic), task, config)
  } catch (error) {
    if (!isLllmError(error)) throw error
    const key = error.code === 'unknown-tactic' ? 'tactic' : error.code === 'unknown-config' ? 'config' : 'task'
    mistake(key, error.message)
    return undefined
  }
}
