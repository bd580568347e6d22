import type { Kysely } from 'kysely'
import { activeRunStates } from '../domain/run.ts'
import type { ScheduleTick } from '../domain/schedule-tick.ts'
import type { RunDialect, RunTransaction } from './run-dialect.ts'
import type { RunDatabase } from './run-schema.ts'
import type { CancelledRuns, RunTables } from './run-tables.ts'
import { cancelActive, submit } from './sql-run-changes.ts'

const noneCancelled: CancelledRuns = { cancelled: [], asked: 0 }

/** Which ticks of schedules were taken. Of each schedule the latest is kept: one that is not later comes too late. */
export function createScheduleTicks(
  db: Kysely<RunDatabase>,
  dialect: RunDialect,
): Pick<RunTables, 'startTick' | 'lastTicks'> {
  return {
    startTick: (tick) =>
      db.transaction().execute(async (transaction) => {
        // Two ticks of one schedule would each not see what the other is about to start.
        await dialect.takeTurns(transaction)
        const { schedule, atMs, run } = tick
        if (await wasTaken(transaction, tick)) return { answer: 'taken', ...noneCancelled }
        const starts = run !== null && !(await isHeldUp(transaction, tick))
        await transaction.deleteFrom('schedule_ticks').where('schedule', '=', schedule).execute()
        const row = { schedule, at: atMs, run_id: starts ? run.id : null }
        await transaction.insertInto('schedule_ticks').values(row).execute()
        if (!starts) return { answer: 'skipped', ...noneCancelled }
        const cancelled =
          tick.overlap === 'cancel'
            ? await cancelActive(transaction, ['schedule', schedule], `the schedule "${schedule}" starts anew`, dialect)
            : noneCancelled
        await submit(transaction, { runs: [run] })
        return { answer: 'started', ...cancelled }
      }),
    async lastTicks(schedules) {
      if (schedules.length === 0) return []
      const rows = await db
        .selectFrom('schedule_ticks')
        .leftJoin('runs', 'runs.id', 'schedule_ticks.run_id')
        .select(['schedule_ticks.schedule', 'schedule_ticks.at', 'schedule_ticks.run_id', 'runs.state'])
        .where('schedule_ticks.schedule', 'in', schedules)
        .execute()
      return rows.map(({ schedule, at, run_id, state }) => ({ schedule, atMs: Number(at), runId: run_id, state }))
    },
  }
}

async function wasTaken(transaction: RunTransaction, { schedule, atMs, run }: ScheduleTick): Promise<boolean> {
  const taken = transaction.selectFrom('schedule_ticks').select('at').where('schedule', '=', schedule)
  const last = await taken.executeTakeFirst()
  return last !== undefined && (run === null || Number(last.at) >= atMs)
}

async function isHeldUp(transaction: RunTransaction, { schedule, overlap }: ScheduleTick): Promise<boolean> {
  if (overlap !== 'skip') return false
  const active = transaction.selectFrom('runs').select('id').where('schedule', '=', schedule)
  return (await active.where('state', 'in', activeRunStates).limit(1).executeTakeFirst()) !== undefined
}
