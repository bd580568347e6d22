import type { FastifyRequest } from 'fastify'
import { expectMayCall } from '../domain/caller.ts'
import { isLllmError } from '../domain/errors.ts'
import type { TenantRuns } from '../runs/runs.ts'
import { callerOf, houseOf } from './access.ts'

/**
 * The runs of whoever asks, once it is known that he may have the tactic of this one work: only then he may say what becomes of it.
 * Rejects with an LllmError `unknown-run` or `forbidden`.
 */
export async function runsToChange(request: FastifyRequest, id: string): Promise<TenantRuns> {
  const { runs } = houseOf(request)
  expectMayCallAgain(request, await runs.get(id))
  return runs
}

/** The same for a batch of runs. Rejects with an LllmError `unknown-batch` or `forbidden`. */
export async function batchesToChange(request: FastifyRequest, id: string): Promise<TenantRuns> {
  const { runs } = houseOf(request)
  expectMayCallAgain(request, await runs.batch(id))
  return runs
}

/** By the name that finds the tactic now. Of one that is not there any more, a bare name says nothing. */
function expectMayCallAgain(request: FastifyRequest, { tacticId: id }: { readonly tacticId: string }) {
  expectMayCall(callerOf(request), { id, address: addressOf(request, id) })
}

function addressOf({ server }: FastifyRequest, id: string): string {
  try {
    return server.lllm.engine.find(id).address
  } catch (error) {
    if (isLllmError(error)) return id
    throw error
  }
}
