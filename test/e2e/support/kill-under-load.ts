import { expect } from 'vitest'
import { range } from '../../support/session-stores.ts'
import type { SpawnedService } from './spawned-service.ts'

export const callers = 50
/** The process is killed as soon as this many calls have been answered. */
export const answersUntilKill = 100

/** Calls from many callers at once until the process is killed in the middle of it. Gives the sessions that were answered. */
export async function killUnderLoad(service: SpawnedService): Promise<string[]> {
  const answered: string[] = []
  async function callOn(caller: number) {
    for (;;) {
      const { status, body } = await service.call('pipeline', 'bees', { tags: { caller: `${caller}`, team: 'e2e' } })
      expect(status).toBe(200)
      answered.push(String(body.session_id))
      if (answered.length === answersUntilKill) service.kill('SIGKILL')
    }
  }
  // Every caller ends when its connection breaks.
  const ended = await Promise.allSettled(range(callers).map(callOn))
  for (const { reason } of ended as readonly PromiseRejectedResult[]) expect(reason).toBeInstanceOf(TypeError)
  expect(await service.exited).toMatchObject({ signal: 'SIGKILL' })
  return answered
}
