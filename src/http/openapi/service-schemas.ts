import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../../domain/errors.ts'
import { limitExcess } from './budget-schemas.ts'
import { costUsd, count } from './cost-schemas.ts'

export const problem = z
  .object({
    type: z.string().describe('A path of this service that explains the code.'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What was wrong here.'),
    instance: z.string().optional().describe('The path of the request.'),
    code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]).describe('Stable: rely on it.'),
    request_id: z.string(),
    retryable: z.boolean().describe('Whether the same request may succeed later.'),
    errors: z
      .array(z.object({ pointer: z.string().describe('A JSON Pointer (RFC 6901).'), message: z.string() }))
      .optional()
      .describe('Where the input does not fit.'),
    session_id: z.string().optional().describe('The session of a call that had begun.'),
    cost_usd: costUsd.optional(),
    budget: limitExcess.optional(),
  })
  .describe('An error (RFC 9457).')

const schema = z.record(z.string(), z.unknown()).describe('A JSON Schema (2020-12).')

export const tacticRecord = z
  .object({
    name: z.string(),
    id: z.string().describe('`package::name`'),
    address: z.string().describe('The shortest name that finds it: its name, or its id where another has the name.'),
    shadowed_by: z.string().nullable().describe('The id of the tactic that its name finds instead.'),
    note: z.string().nullable().describe('Why its name finds another.'),
    package: z.string(),
    version: z.string(),
    description: z.string().nullable(),
    agents: z
      .array(
        z.object({
          name: z.string(),
          model: z.string(),
          prompt: z
            .string()
            .nullable()
            .describe('The path of the system prompt; null for one that the config itself holds.'),
        }),
      )
      .describe('Those of the default config. None, for a key that may not call the tactic.'),
    sub_tactics: z.array(z.string()),
    configs: z.array(z.string()).describe('The first is the default.'),
    input_schema: schema,
    output_schema: schema,
  })
  .describe('A tactic that can be called. Agents are those of its default config.')

export const tacticList = z.object({ data: z.array(tacticRecord), next_cursor: z.null() })

export const info = z
  .object({
    name: z.string(),
    version: z.string(),
    simulated: z.boolean().describe('Whether the replies of the default model are made up on this machine.'),
    notice: z.string().nullable(),
    packages: z
      .array(
        z.object({
          name: z.string(),
          version: z.string(),
          origin: z.enum(['root', 'dependency', 'project', 'user']).describe('How it came to be loaded.'),
          aliases: z.array(z.string()).describe('What else the served package calls it.'),
        }),
      )
      .describe('In the order in which bare names of tactics go.'),
    store: z.string(),
    invokers: z.array(z.object({ name: z.string(), simulated: z.boolean() })),
  })
  .describe('What runs here.')

export const batchCounts = z.object({
  success: count,
  failure: count,
  cancelled: count,
  skipped: count,
})

export const health = z.object({ status: z.literal('ok') })
export const ready = z.object({ status: z.literal('ready') })
