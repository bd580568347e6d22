import { z } from 'zod'
import { runStates } from '../../domain/run.ts'

const time = z.iso.datetime()

const lastTick = z
  .object({
    at: time,
    run_id: z
      .string()
      .nullable()
      .describe('Null where it started none: an earlier run had not ended, or the schedule was new.'),
    state: z.enum(runStates).nullable().describe('Of its run. Null also where that was deleted.'),
  })
  .describe('The latest tick that was taken, by any process.')

export const scheduleList = z
  .object({
    data: z.array(
      z.object({
        name: z.string(),
        tactic: z.string(),
        tactic_id: z.string().describe('`package::name`'),
        cron: z.string(),
        time_zone: z.string().describe('In which the expression is meant.'),
        overlap: z
          .enum(['skip', 'allow', 'cancel'])
          .describe(
            'What a tick does where an earlier run has not ended: no start, a start all the same, or one that cancels those first.',
          ),
        catch_up: z
          .enum(['none', 'last'])
          .describe(
            'What becomes of ticks at which nobody worked: they are dropped, or the last of them is started once.',
          ),
        next_at: time.nullable(),
        last: lastTick.nullable(),
      }),
    ),
    next_cursor: z.null(),
  })
  .describe('The schedules, in the order of their file.')
