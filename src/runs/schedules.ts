import type { World } from '../domain/clock.ts'
import type { RunStore } from '../domain/run-store.ts'
import type { LastTick } from '../domain/schedule-tick.ts'
import { defaultTenant } from '../domain/tenant.ts'
import type { ContentKeeper } from '../engine/content-keeper.ts'
import type { BackgroundWork } from './background-work.ts'
import { toNewRun } from './new-run.ts'
import { planTick } from './plan-tick.ts'
import type { Schedule } from './schedule.ts'

/** The longest sleep, in ms: clocks are set, and machines are put to sleep, which no timer notices. */
const sleepMaxMs = 30_000
/** How long a tick waits that the store did not take, in ms. */
const retryAfterMs = 1_000

export type ScheduleEvent =
  | {
      readonly type: 'schedule.started'
      readonly schedule: string
      readonly atMs: number
      readonly runId: string
    }
  /** An earlier run has not ended. */
  | { readonly type: 'schedule.skipped'; readonly schedule: string; readonly atMs: number }
  /** Nobody was there to start the tick, nor any before it that was not started. */
  | { readonly type: 'schedule.missed'; readonly schedule: string; readonly atMs: number }
  | { readonly type: 'schedule.store-failed'; readonly error: unknown }

export interface ScheduleStatus {
  readonly schedule: Schedule
  /** In ms since 1970. Null: there is no tick any more. */
  readonly nextAtMs: number | null
  readonly last: LastTick | null
}

export interface SchedulesParts {
  /** With names of their own. */
  readonly schedules: readonly Schedule[]
  readonly store: Pick<RunStore, 'startTick' | 'lastTicks'>
  readonly world: World
  /** What a run may take that asks for nothing, in ms. */
  readonly runTimeoutMs: number
  /** What may be kept of the texts of runs. Left out: everything. */
  readonly content?: Pick<ContentKeeper, 'of' | 'value'>
  readonly onEvent: (event: ScheduleEvent) => void
}

/** The schedules of one tenant. Those of others are not there. */
export interface TenantSchedules {
  /** All of them in their order, wherever they are started. Rejects with an LllmError `store-unavailable`. */
  list(): Promise<readonly ScheduleStatus[]>
}

/** What is read without saying whose it is, is the default tenant's. */
export interface Schedules extends TenantSchedules, BackgroundWork {
  of(tenant: string): TenantSchedules
}

/** A schedule at work. */
interface Entry {
  readonly schedule: Schedule
  /** The ticks until then are done with. */
  afterMs: number
  /** When there is something to do. */
  wakeAtMs: number
}

/**
 * Starts the runs of schedules, in any number of processes at once: each of them tries each tick, and the store lets one of them start it.
 * Ticks are started one after another, in their order.
 */
export function createSchedules(parts: SchedulesParts): Schedules {
  const { schedules, store, world, runTimeoutMs, content, onEvent } = parts
  const { clock, newId } = world
  const names = schedules.map(({ name }) => name)
  const closing = new AbortController()
  let working: Promise<void> | undefined
  let ended: Promise<void> | undefined
  let isFailing = false

  async function work() {
    let entries: readonly Entry[] | undefined
    while (!closing.signal.aborted) {
      entries ??= await begin()
      const next = entries?.reduce((left, right) => (right.wakeAtMs < left.wakeAtMs ? right : left))
      const wakeAtMs = next?.wakeAtMs ?? clock.now() + retryAfterMs
      const waitMs = Math.min(wakeAtMs - clock.now(), sleepMaxMs)
      if (waitMs > 0) await clock.sleep(waitMs, closing.signal).catch(() => undefined)
      else if (next !== undefined) await advance(next)
    }
  }

  /** Undefined: the store does not answer. */
  async function begin(): Promise<readonly Entry[] | undefined> {
    try {
      const lasts = new Map((await store.lastTicks(names)).map((last) => [last.schedule, last.atMs]))
      const entries: Entry[] = []
      for (const schedule of schedules) {
        const afterMs = lasts.get(schedule.name) ?? (await note(schedule))
        entries.push({ schedule, afterMs, wakeAtMs: schedule.times.next(afterMs) ?? Infinity })
      }
      isFailing = false
      return entries
    } catch (error) {
      tellFailure(error)
      return undefined
    }
  }

  /** Ticks before a schedule was first seen are none of its own; from then on, it can miss them. */
  async function note({ name, times, overlap }: Schedule): Promise<number> {
    const nowMs = clock.now()
    const atMs = times.latest(nowMs) ?? nowMs
    await store.startTick({ schedule: name, atMs, overlap, run: null })
    return atMs
  }

  async function advance(entry: Entry) {
    const { schedule } = entry
    try {
      const { atMs, missedAtMs } = planTick(schedule, entry.afterMs, clock.now())
      if (missedAtMs !== undefined) {
        await tellMissed(schedule, missedAtMs)
        entry.afterMs = missedAtMs
      }
      if (atMs !== undefined && atMs <= clock.now()) {
        await start(schedule, atMs)
        entry.afterMs = atMs
      }
      isFailing = false
      entry.wakeAtMs = schedule.times.next(entry.afterMs) ?? Infinity
    } catch (error) {
      tellFailure(error)
      entry.wakeAtMs = clock.now() + retryAfterMs
    }
  }

  /** What this process has missed another may have started. */
  async function tellMissed({ name }: Schedule, atMs: number) {
    const [last] = await store.lastTicks([name])
    if (last === undefined || last.atMs < atMs) onEvent({ type: 'schedule.missed', schedule: name, atMs })
  }

  async function start({ name, tenant, overlap, call, options }: Schedule, atMs: number) {
    const place = { id: newId(), tenant, batchId: null, batchIndex: null }
    const run = toNewRun(call, { ...options, schedule: name, runAtMs: atMs }, place, { clock, runTimeoutMs, content })
    const answer = await store.startTick({ schedule: name, atMs, overlap, run })
    if (answer === 'started') onEvent({ type: 'schedule.started', schedule: name, atMs, runId: run.id })
    if (answer === 'skipped') onEvent({ type: 'schedule.skipped', schedule: name, atMs })
  }

  /** Of an outage the first failure is told; none where the store is closed under the last call. */
  function tellFailure(error: unknown) {
    if (!isFailing && !closing.signal.aborted) onEvent({ type: 'schedule.store-failed', error })
    isFailing = true
  }

  async function end(graceMs: number) {
    closing.abort()
    const done = new AbortController()
    const rest = Promise.resolve(working).then(() => done.abort())
    await Promise.race([rest, clock.sleep(graceMs, done.signal).catch(() => undefined)])
  }

  const of = (tenant: string): TenantSchedules => ({
    async list() {
      const own = schedules.filter((schedule) => schedule.tenant === tenant)
      const lasts = new Map((await store.lastTicks(own.map(({ name }) => name))).map((last) => [last.schedule, last]))
      const nowMs = clock.now()
      return own.map((schedule) => ({
        schedule,
        nextAtMs: schedule.times.next(nowMs) ?? null,
        last: lasts.get(schedule.name) ?? null,
      }))
    },
  })

  return {
    ...of(defaultTenant),
    of,
    start() {
      if (schedules.length > 0) working ??= work()
    },
    close(graceMs) {
      ended ??= end(graceMs)
      return ended
    },
  }
}
