import type { World } from './domain/clock.ts'
import type { RunStore } from './domain/run-store.ts'
import type { ScheduleJudges } from './read-schedules.ts'
import { createSchedules, type ScheduleEvent, type Schedules } from './runs/schedules.ts'
import type { Settings } from './settings.ts'

/**
 * The schedules of the settings, of which there may be none. What it takes to read them is loaded only where there are some.
 *
 * @throws LllmError `invalid-settings` that tells each mistake of the file, its place, and what would be right.
 */
export async function openSchedules(
  settings: Pick<Settings, 'schedulesFile' | 'runTimeoutMs'>,
  store: RunStore,
  judges: ScheduleJudges,
  {
    world,
    onScheduleEvent: onEvent = () => {},
  }: { readonly world: World; readonly onScheduleEvent?: (event: ScheduleEvent) => void },
): Promise<Schedules> {
  const { schedulesFile: file, runTimeoutMs } = settings
  const schedules =
    file === undefined ? [] : await (await import('./read-schedules.ts')).readSchedules(file, settings, judges)
  return createSchedules({ schedules, store, world, runTimeoutMs, content: judges.engine.content, onEvent })
}
