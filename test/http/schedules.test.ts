import { createClient } from 'lllm/client'
import { expect, test } from 'vitest'
import { scheduleList } from '../../src/http/openapi/schedule-schemas.ts'
import { readCron } from '../../src/runs/cron.ts'
import { systemWorld } from '../../src/system-world.ts'
import { listen, openService } from './service.ts'

const noon = Date.UTC(2026, 10, 27, 12)

/** A service that knows one schedule, at noon. */
function openScheduled() {
  return openService({
    world: { ...systemWorld, clock: { ...systemWorld.clock, now: () => noon } },
    schedules: async (engine) => [
      {
        name: 'morning',
        tenant: 'default',
        cron: '30 6 * * *',
        timeZone: 'Europe/Berlin',
        times: readCron('30 6 * * *', 'Europe/Berlin'),
        overlap: 'skip',
        catchUp: 'last',
        call: await engine.prepare(engine.find('shout'), 'hello'),
        options: {},
      },
    ],
  })
}

const morning = {
  name: 'morning',
  tactic: 'shout',
  tactic_id: 'demo::shout',
  cron: '30 6 * * *',
  time_zone: 'Europe/Berlin',
  overlap: 'skip',
  catch_up: 'last',
  next_at: '2026-11-28T05:30:00.000Z',
}

test('a service without schedules has none to show', async () => {
  const { server } = await openService()
  const answer = await server.inject('/schedules')
  expect([answer.statusCode, answer.json()]).toEqual([200, { data: [], next_cursor: null }])
})

test('a schedule is shown with its next tick, and then with what its last one has started', async () => {
  const { server, runStore, app } = await openScheduled()
  const shown = async () => (await server.inject('/schedules')).json()
  expect(await shown()).toEqual({ data: [{ ...morning, last: null }], next_cursor: null })
  const { id } = await app.runs.submit(await app.engine.prepare(app.engine.find('shout'), 'hello'), {
    runAtMs: noon * 2,
  })
  const run = await runStore.get(id)
  const tick = { schedule: 'morning', atMs: Date.UTC(2026, 10, 27, 5, 30), overlap: 'skip' } as const
  if (run === undefined || run.request === null) throw new Error('The run is not there.')
  await runStore.startTick({ ...tick, run: { ...run, request: run.request } })
  const last = { at: '2026-11-27T05:30:00.000Z', run_id: id, state: 'queued' }
  expect(await shown()).toEqual({ data: [{ ...morning, last }], next_cursor: null })
  expect(scheduleList.safeParse(await shown()).error).toBeUndefined()
  await app.runs.cancel(id, 'no need')
  expect((await shown()).data[0].last).toEqual({ ...last, state: 'cancelled' })
})

test('the client has them with their types', async () => {
  const service = await openScheduled()
  const [schedule] = await createClient({ url: await listen(service) }).schedules()
  expect(schedule).toEqual({ ...morning, last: null })
  expect(schedule?.next_at?.slice(0, 10)).toBe('2026-11-28')
})
