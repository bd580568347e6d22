import type { FastifyRequest } from 'fastify'
import { parseLimits } from '../domain/config-limits.ts'
import type { BatchOptions } from '../domain/tactic.ts'
import type { BoundTactic, CallOptions, PreparedCall } from '../engine/engine.ts'
import { callerOf } from './access.ts'
import type { BatchRequest, CallRequest, CallSchemas, ReturnSession } from './call-request.ts'
import { parse } from './parse.ts'
import { prepareTask, prepareTasks } from './prepare-tasks.ts'
import type { CallBounds } from './run-call.ts'

/** What a request asks for, judged: from here on only the call itself can go wrong. */
export interface AskedCall {
  readonly prepared: PreparedCall
  readonly options: CallOptions
  readonly bounds: CallBounds
  readonly returnSession: ReturnSession
}

export interface AskedBatch {
  readonly prepared: readonly PreparedCall[]
  readonly options: CallOptions & BatchOptions
  readonly bounds: CallBounds
  readonly returnSessions: ReturnSession
}

/** Reads the body of a call. Rejects with an LllmError `invalid-request`, `invalid-task` or `unknown-config`. */
export async function readCall(request: FastifyRequest, tactic: BoundTactic, schemas: CallSchemas): Promise<AskedCall> {
  const { engine } = request.server.lllm
  request.lllmStory.tactic = tactic.address
  const asked = parse(schemas.call, request.body, 'body')
  return {
    prepared: await prepareTask(engine, tactic, asked.task, asked.config, '/task'),
    options: {
      ...toOptions(request, asked),
      ...(asked.limits === undefined ? {} : { limits: parseLimits(asked.limits) }),
    },
    bounds: { timeoutMs: asked.timeout_ms },
    returnSession: asked.return_session,
  }
}

function toOptions(
  request: FastifyRequest,
  { tags = {}, metadata = {}, budget_usd: budgetUsd }: CallRequest | BatchRequest,
): CallOptions {
  const { tenant, limits } = callerOf(request)
  return {
    tags,
    metadata,
    tenant,
    ...(limits.budget === undefined ? {} : { keyBudget: limits.budget }),
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
  }
}

/** Reads the body of a batch. Rejects as {@link readCall}. */
export async function readBatch(
  request: FastifyRequest,
  tactic: BoundTactic,
  schemas: CallSchemas,
): Promise<AskedBatch> {
  const { engine, settings } = request.server.lllm
  request.lllmStory.tactic = tactic.address
  const asked = parse(schemas.batch, request.body, 'body')
  // Workers beyond these would have nothing to do, or no place to do it.
  const workers = Math.min(asked.max_workers, asked.tasks.length, settings.callsMax)
  return {
    prepared: await prepareTasks(engine, tactic, asked.tasks, asked.config),
    options: {
      ...toOptions(request, asked),
      maxWorkers: workers,
      failFast: asked.fail_fast,
    },
    bounds: { timeoutMs: asked.timeout_ms, workers },
    returnSessions: asked.return_sessions,
  }
}
