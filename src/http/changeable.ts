import type { FastifyRequest } from 'fastify'
import { expectMayCall } from '../domain/caller.ts'
import type { TenantRuns } from '../runs/runs.ts'
import { callerOf, houseOf } from './access.ts'

/**
 * The runs of whoever asks, once it is known that he may have the tactic of this one work: only then he may say what becomes of it.
 * Rejects with an LllmError `unknown-run` or `forbidden`.
 */
export async function runsToChange(request: FastifyRequest, id: string): Promise<TenantRuns> {
  const { runs } = houseOf(request)
  const { tactic, tacticId } = await runs.get(id)
  expectMayCall(callerOf(request), { name: tactic, id: tacticId })
  return runs
}

/** The same for a batch of runs. Rejects with an LllmError `unknown-batch` or `forbidden`. */
export async function batchesToChange(request: FastifyRequest, id: string): Promise<TenantRuns> {
  const { runs } = houseOf(request)
  const { tactic, tacticId } = await runs.batch(id)
  expectMayCall(callerOf(request), { name: tactic, id: tacticId })
  return runs
}
