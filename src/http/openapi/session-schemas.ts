import { z } from 'zod'
import { sessionStates } from '../../domain/session.ts'
import { cost, costUsd, count } from './cost-schemas.ts'

export const time = z.iso
  .datetime()
  .describe('RFC 3339, UTC, with milliseconds.')
  .meta({ pattern: undefined, examples: ['2026-11-22T13:44:32.994Z'] })
const durationMs = z.number().min(0)
const state = z.enum(sessionStates)
const anything = z.unknown()
const tags = z.record(z.string(), z.string())

export const toolCall = z.object({
  id: z.string(),
  name: z.string(),
  arguments: z.string().describe('As the model wrote them.'),
})

const part = z.object({
  type: z.enum(['text', 'image']),
  text: z.string().optional(),
  url: z.string().optional(),
  base64: z.string().optional(),
  media_type: z.string().optional(),
  bytes: count.optional().describe('Of an image that was given as base64, in its place.'),
  sha256: z.string().optional().describe('Of its bytes, in hex.'),
})

export const message = z
  .object({
    role: z.enum(['system', 'user', 'assistant', 'tool']),
    content: z.union([z.string(), z.array(part)]),
    name: z.string().optional(),
    tool_calls: z.array(toolCall).optional(),
    tool_call_id: z.string().optional(),
    refusal: z.string().optional(),
  })
  .describe('One message of a dialog.')

export const llmCall = z
  .object({
    id: z.string(),
    step: count.describe('Round of tool calls within the agent call, from 0.'),
    attempt: count.describe('Try within the step, from 0.'),
    invoker: z.string(),
    model: z.string(),
    started_at: time,
    duration_ms: durationMs,
    request: z.object({
      messages: z.array(message),
      args: z.record(z.string(), anything),
      tools: z.array(z.record(z.string(), anything)),
    }),
    response: z
      .object({
        id: z.string().nullable(),
        model: z.string().nullable(),
        message,
        finish_reason: z.string().nullable(),
      })
      .nullable(),
    usage: z
      .object({
        prompt_tokens: count,
        cached_prompt_tokens: count,
        completion_tokens: count,
        reasoning_tokens: count,
      })
      .nullable(),
    cost,
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .describe('One request to a model, answered or not.')

export const agentCall = z
  .object({
    id: z.string(),
    agent: z.string(),
    dialog: z.string(),
    state,
    started_at: time,
    duration_ms: durationMs,
    cost,
    llm_calls: z.array(llmCall),
    tool_calls: z.array(
      z.object({
        id: z.string(),
        step: count,
        name: z.string(),
        arguments: z.string(),
        result: z.string(),
        error: z.string().nullable(),
        started_at: time,
        duration_ms: durationMs,
      }),
    ),
    retries: z.array(
      z.object({
        kind: z.enum(['exception', 'recall', 'fallback']),
        step: count,
        error: z.string(),
        waited_ms: durationMs,
      }),
    ),
    delivery: message.nullable(),
  })
  .describe("One respond() of an agent, with its model's calls, in the order of time.")

export const session = z
  .object({
    id: z.string(),
    tactic: z.string(),
    tactic_id: z.string().describe('`package::name`'),
    state,
    end_reason: z
      .enum(['client-closed', 'deadline', 'shutdown', 'cancelled', 'budget'])
      .nullable()
      .describe('What ended the call before its time.'),
    started_at: time,
    ended_at: time,
    duration_ms: durationMs,
    task: anything,
    result: anything,
    error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    tags,
    metadata: z.record(z.string(), anything),
    config: z.object({ name: z.string(), hash: z.string() }),
    simulated: z.boolean(),
    agent_call_count: count,
    sub_tactic_call_count: count,
    llm_call_count: count.describe('Over the whole tree.'),
    cost: cost.describe('Over the whole tree.'),
    agent_calls: z.array(agentCall),
    content: z
      .enum(['redacted', 'none'])
      .optional()
      .describe('What is kept of its texts. Left out: all of them. `none`: they are empty or null.'),
    get sub_sessions() {
      return z.array(session)
    },
  })
  .describe('The record of one call of a tactic, with the calls of its sub-tactics inside.')

export const sessionSummary = z
  .object({
    id: z.string(),
    tactic: z.string(),
    state,
    agent_calls: count,
    sub_tactic_calls: count,
    llm_calls: count,
    total_cost: costUsd,
    duration_ms: durationMs,
  })
  .describe('What `return_session: "summary"` gives.')

export const sessionListItem = z.object({
  id: z.string(),
  tactic: z.string(),
  tactic_id: z.string(),
  state,
  started_at: time,
  duration_ms: durationMs,
  agent_calls: count,
  sub_tactic_calls: count,
  llm_calls: count,
  tokens: count,
  cost_usd: costUsd,
  tags,
})

export const sessionList = z
  .object({
    data: z.array(sessionListItem),
    next_cursor: z.string().nullable().describe('Null on the last page.'),
  })
  .describe('A page of sessions, newest first.')
