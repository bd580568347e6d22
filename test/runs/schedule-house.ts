import type { RunStore } from '../../src/domain/run-store.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { createBinder } from '../../src/engine/bind.ts'
import { prepareCall } from '../../src/engine/prepare.ts'
import { readCron } from '../../src/runs/cron.ts'
import type { Schedule } from '../../src/runs/schedule.ts'
import { createSchedules, type ScheduleEvent } from '../../src/runs/schedules.ts'
import { systemWorld } from '../../src/system-world.ts'
import { scriptedModel } from '../../src/testing/scripted-model.ts'
import { describePackage } from '../../src/testing/test-package.ts'
import { poolOf, toolSourceOf } from '../../src/testing/test-world.ts'
import type { virtualClock } from '../support/virtual-clock.ts'

class Summary extends Tactic({ name: 'summary', agents: ['writer'] }) {
  async call(task: string) {
    const { writer } = this.agents
    return (await writer.open('draft').receive(task).respond()).content
  }
}

export interface ScheduleSketch extends Partial<Omit<Schedule, 'times' | 'call'>> {
  readonly task?: string
}

/** A schedule of a tactic that is never called: what is looked at are its runs as they are submitted. */
export async function scheduleOf({ task = 'bees', ...more }: ScheduleSketch = {}): Promise<Schedule> {
  const source = describePackage({ tactics: [Summary] }, 'house')
  const parts = { invokers: poolOf(scriptedModel([], 'test').invoker), toolSource: toolSourceOf() }
  const [tactic] = createBinder({ root: source, all: [source] }, parts).bindAll()
  const [config] = tactic?.configs.values() ?? []
  if (tactic === undefined || config === undefined) throw new Error('The package has no tactic.')
  const { cron = '* * * * *', timeZone = 'UTC' } = more
  return {
    name: 'minutely',
    tenant: 'default',
    overlap: 'allow',
    catchUp: 'none',
    options: {},
    ...more,
    cron,
    timeZone,
    times: readCron(cron, timeZone),
    call: await prepareCall(tactic, config, task),
  }
}

type Store = Pick<RunStore, 'startTick' | 'lastTicks'>

/** A process that starts schedules, by a clock that the test holds. */
export function startProcess(schedules: readonly Schedule[], store: Store, { clock }: ReturnType<typeof virtualClock>) {
  const events: ScheduleEvent[] = []
  const world = { ...systemWorld, clock }
  const working = createSchedules({
    schedules,
    store,
    world,
    runTimeoutMs: 60_000,
    onEvent: (event) => void events.push(event),
  })
  working.start()
  return { working, events, told: () => events.map(tell) }
}

function tell(event: ScheduleEvent): string {
  const kind = event.type.replace('schedule.', '')
  return 'atMs' in event ? `${kind} ${new Date(event.atMs).toISOString().slice(0, 16)}` : kind
}
