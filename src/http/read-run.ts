import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { runKeyOf } from '../domain/caller.ts'
import { toRfc3339 } from '../domain/clock.ts'
import { LllmError } from '../domain/errors.ts'
import { runAheadMaxMs } from '../domain/run.ts'
import type { StoreContent } from '../domain/store-content.ts'
import type { BoundTactic, PreparedCall } from '../engine/engine.ts'
import type { RunOptions } from '../runs/runs.ts'
import { callerOf } from './access.ts'
import type { CallSchemas } from './call-request.ts'
import { JsonLines, linePointer } from './json-lines.ts'
import { workIdOf } from './keyed-request.ts'
import { parse, unfit } from './parse.ts'
import { prepareTask, prepareTasks } from './prepare-tasks.ts'
import { type RunBatchRequest, type RunRequest, runBatchTasksMax, toRunOptions } from './run-request.ts'
import { splitTags, toPlainTags } from './session-query.ts'

const noQuery = z.strictObject({})

/** What a request wants to have run, judged. */
export interface AskedRun<Calls> {
  readonly prepared: Calls
  readonly options: RunOptions
}

/** Reads what a request wants to have run. Rejects with an LllmError `invalid-request`, `invalid-task`, `unknown-config` or `draining`. */
export async function readRun(
  request: FastifyRequest,
  tactic: BoundTactic,
  schemas: CallSchemas,
): Promise<AskedRun<PreparedCall>> {
  const { engine } = begin(request, tactic)
  const asked = parse(schemas.run, request.body, 'body')
  judgeWebhook(request, asked.webhook?.url, '/webhook/url')
  judgeTime(request, asked.run_at, '/run_at')
  const prepared = await prepareTask(engine, tactic, asked.task, asked.config, '/task')
  const options = toOptions(request, asked, asked.budget_usd, engine.content.of(prepared.config))
  return { prepared, options }
}

/** Reads a batch of them. All tasks are judged before any is queued. Rejects as {@link readRun}, and with `invalid-parameter`. */
export async function readRunBatch(
  request: FastifyRequest,
  tactic: BoundTactic,
  schemas: CallSchemas,
): Promise<AskedRun<readonly PreparedCall[]>> {
  const { engine } = begin(request, tactic)
  const { body } = request
  const lines = body instanceof JsonLines ? body.lines : undefined
  const asked = body instanceof JsonLines ? readLines(request, body, schemas) : readBody(request, schemas)
  const pointerOf = lines === undefined ? undefined : (index: number) => linePointer(lines[index] ?? 0)
  const prepared = await prepareTasks(engine, tactic, asked.tasks, asked.config, pointerOf)
  return { prepared, options: toOptions(request, asked, asked.run_budget_usd) }
}

function begin(request: FastifyRequest, tactic: BoundTactic) {
  request.lllmStory.tactic = tactic.address
  if (request.server.lllm.shutdown.begun) {
    throw new LllmError('draining', 'The service is shutting down and takes no new runs.')
  }
  return request.server.lllm
}

function readBody(request: FastifyRequest, schemas: CallSchemas): RunBatchRequest {
  const asked = parse(schemas.runBatch, request.body, 'body')
  // What goes with lines as the query would be passed over here, unnoticed.
  parse(noQuery, request.query, 'query')
  judgeWebhook(request, asked.webhook?.url, '/webhook/url')
  judgeTime(request, asked.run_at, '/run_at')
  return asked
}

/** A body of lines has the tasks and nothing else: the rest of what a body says is in the query. */
function readLines(request: FastifyRequest, { tasks }: JsonLines, schemas: CallSchemas): RunBatchRequest {
  const { tags, rest } = splitTags(request.query)
  const { webhook: url, ...asked } = parse(schemas.runLines, rest, 'query')
  judgeWebhook(request, url, '/query/webhook')
  judgeTime(request, asked.run_at, '/query/run_at')
  const tasksMax = runBatchTasksMax(request.server.lllm.settings)
  if (tasks.length === 0 || tasks.length > tasksMax) {
    const message = `must have 1 to ${tasksMax} tasks, each on a line of its own`
    throw unfit('invalid-request', [{ pointer: '', message }])
  }
  return { ...asked, ...toPlainTags(tags), tasks, ...(url === undefined ? {} : { webhook: { url } }) }
}

/** @throws LllmError `invalid-request` for a URL in the body, `invalid-parameter` for one in the query. */
function judgeWebhook({ server }: FastifyRequest, url: string | undefined, pointer: string) {
  if (url === undefined) return
  const { judgeWebhook: judge = () => 'cannot be told: this service sends no webhooks' } = server.lllm
  const message = judge(url)
  if (message !== undefined) throw refusal(pointer, message)
}

/** Nobody knows any more what somebody wanted so long ago. @throws As {@link judgeWebhook}. */
function judgeTime({ server }: FastifyRequest, runAtMs: number | undefined, pointer: string) {
  const lastMs = server.lllm.world.clock.now() + runAheadMaxMs
  if (runAtMs === undefined || runAtMs <= lastMs) return
  throw refusal(pointer, `must be within 366 days from now, by ${toRfc3339(lastMs)}`)
}

function refusal(pointer: string, message: string) {
  return unfit(pointer.startsWith('/query/') ? 'invalid-parameter' : 'invalid-request', [{ pointer, message }])
}

/** Called last: with it the work has the id that belongs to the key of its request. */
function toOptions(
  request: FastifyRequest,
  asked: Omit<RunRequest, 'task' | 'budget_usd'>,
  budgetUsd: number | undefined,
  content?: StoreContent,
): RunOptions {
  const id = workIdOf(request, content)
  const caller = callerOf(request)
  const key = runKeyOf(caller)
  const { budget: keyBudget } = caller.limits
  const trace = request.lllmStory.span.headers
  return {
    ...toRunOptions(asked, budgetUsd),
    ...(key === undefined ? {} : { key }),
    ...(keyBudget === undefined ? {} : { keyBudget }),
    ...(id === undefined ? {} : { id }),
    ...(trace === undefined ? {} : { trace }),
  }
}
