import type { FastifyRequest } from 'fastify'
import { parseLimits } from '../domain/config-limits.ts'
import { LllmError } from '../domain/errors.ts'
import type { BoundTactic, PreparedCall } from '../engine/engine.ts'
import type { RunOptions } from '../runs/runs.ts'
import type { CallSchemas, RunBatchRequest, RunRequest } from './call-request.ts'
import { workIdOf } from './keyed-request.ts'
import { parse } from './parse.ts'
import { prepareTask, prepareTasks } from './prepare-tasks.ts'

/** Reads what a request wants to have run. Rejects with an LllmError `invalid-request`, `invalid-task`, `unknown-config` or `draining`. */
export async function readRun(
  request: FastifyRequest,
  tactic: BoundTactic,
  schemas: CallSchemas,
): Promise<{ readonly prepared: PreparedCall; readonly options: RunOptions }> {
  const asked = await begin(request, tactic, () => parse(schemas.run, request.body, 'body'))
  const prepared = await prepareTask(request.server.lllm.engine, tactic, asked.task, asked.config, '/task')
  return { prepared, options: toOptions(request, asked, asked.budget_usd) }
}

/** Reads a batch of them. All tasks are judged before any is queued. */
export async function readRunBatch(
  request: FastifyRequest,
  tactic: BoundTactic,
  schemas: CallSchemas,
): Promise<{ readonly prepared: readonly PreparedCall[]; readonly options: RunOptions }> {
  const asked = await begin(request, tactic, () => parse(schemas.runBatch, request.body, 'body'))
  const prepared = await prepareTasks(request.server.lllm.engine, tactic, asked.tasks, asked.config)
  return { prepared, options: toOptions(request, asked, asked.run_budget_usd) }
}

async function begin<Asked>(request: FastifyRequest, tactic: BoundTactic, read: () => Asked): Promise<Asked> {
  request.lllmStory.tactic = tactic.address
  if (request.server.lllm.shutdown.begun) {
    throw new LllmError('draining', 'The service is shutting down and takes no new runs.')
  }
  return read()
}

/** Called last: with it the work has the id that belongs to the key of its request. */
function toOptions(
  request: FastifyRequest,
  asked: RunRequest | RunBatchRequest,
  budgetUsd: number | undefined,
): RunOptions {
  const { tags = {}, metadata = {}, limits, run_at: runAtMs, priority, timeout_ms: timeoutMs } = asked
  const id = workIdOf(request)
  return {
    tags,
    metadata,
    priority,
    timeoutMs,
    ...(limits === undefined ? {} : { limits: parseLimits(limits) }),
    ...(runAtMs === undefined ? {} : { runAtMs }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    ...(id === undefined ? {} : { id }),
  }
}
