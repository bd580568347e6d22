import { z } from 'zod'
import { sessionIdPattern, sessionStates } from '../domain/session.ts'
import type { SessionRecord } from '../domain/session-record.ts'

/** Deeper JSON is refused: what walks through it would run out of stack. A level of sub-tactics takes two of these. */
export const nestingMax = 256

const count = z.int().min(0)
const usd = z.number().min(0).nullable()
const durationMs = z.number()
const state = z.enum(sessionStates)
const id = z.string().max(200)
const name = z.string().max(500)
const object = z.custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
/** A record of zod leaves `__proto__` out; this looks at every key that there is. */
const tags = object.refine((value) => Object.values(value).every((tag) => typeof tag === 'string'))

const cost = z.object({
  prompt_tokens: count,
  cached_prompt_tokens: count,
  completion_tokens: count,
  reasoning_tokens: count,
  total_tokens: count,
  prompt_cost_usd: usd,
  completion_cost_usd: usd,
  cost_usd: usd,
  unpriced_calls: count,
})

const assistantMessage = z.object({
  role: z.literal('assistant'),
  content: z.string(),
  name: z.string().optional(),
  tool_calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })).optional(),
  refusal: z.string().optional(),
})

const part = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({
    type: z.literal('image'),
    url: z.string().optional(),
    base64: z.string().optional(),
    media_type: z.string().optional(),
    bytes: count.optional(),
    sha256: z.string().optional(),
  }),
])

const message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: z.string() }),
  z.object({ role: z.literal('user'), content: z.union([z.string(), z.array(part)]), name: z.string().optional() }),
  assistantMessage,
  z.object({ role: z.literal('tool'), content: z.string(), tool_call_id: z.string() }),
])

const llmCall = z.object({
  id,
  step: count,
  attempt: count,
  invoker: name,
  model: name,
  started_at: z.string(),
  duration_ms: durationMs,
  request: z.object({
    messages: z.array(message),
    args: object,
    tools: z.array(z.object({ name: z.string(), description: z.string(), parameters: object, strict: z.boolean() })),
  }),
  response: z
    .object({
      id: z.string().nullable(),
      model: z.string().nullable(),
      message: assistantMessage,
      finish_reason: z.string().nullable(),
    })
    .nullable(),
  usage: z
    .object({
      prompt_tokens: count,
      cached_prompt_tokens: count,
      completion_tokens: count,
      reasoning_tokens: count,
      estimated: z.literal(true).optional(),
    })
    .nullable(),
  cost: cost.extend({ unpriced_calls: z.int().min(0).max(1) }),
  error: z.object({ code: name, message: z.string() }).nullable(),
})

const agentCall = z.object({
  id,
  agent: name,
  dialog: z.string(),
  state,
  started_at: z.string(),
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
      started_at: z.string(),
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
  delivery: assistantMessage.nullable(),
})

const session = z.object({
  id: z.string().regex(sessionIdPattern),
  tactic: name,
  tactic_id: name,
  state,
  end_reason: z.enum(['client-closed', 'deadline', 'shutdown', 'cancelled', 'budget']).nullable(),
  started_at: z.string(),
  ended_at: z.string(),
  duration_ms: durationMs,
  task: z.unknown(),
  result: z.unknown(),
  error: z.looseObject({ code: name, message: z.string() }).nullable(),
  tags,
  metadata: object,
  config: z.object({ name, hash: name }),
  simulated: z.boolean(),
  agent_call_count: count,
  sub_tactic_call_count: count,
  llm_call_count: count,
  cost,
  agent_calls: z.array(agentCall),
  content: z.enum(['redacted', 'none']).optional(),
  get sub_sessions() {
    return z.array(session)
  },
})

/** Whether a value, which does not nest too deep, has the shape of a session. It is not copied: members that nobody knows stay. */
export function hasSessionShape(value: unknown): value is SessionRecord {
  return session.safeParse(value).success
}
