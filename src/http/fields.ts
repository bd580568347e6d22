import { z } from 'zod'
import { limitsConfig } from '../domain/config-limits.ts'
import type { JsonObject } from '../domain/json.ts'
import { budgetUsdMax } from '../domain/limits.ts'
import { sessionIdPattern } from '../domain/session.ts'

export const tagsMax = 32
const tagValueLengthMax = 256
const metadataBytesMax = 16_384
/** What a tag's key is made of, without anchors. */
export const tagKeyPattern = '[A-Za-z0-9_.-]{1,64}'

export const tagValue = z.string().max(tagValueLengthMax)

export const tags = z
  .record(z.string().regex(new RegExp(`^${tagKeyPattern}$`), `must fit ${tagKeyPattern}`), tagValue)
  .refine((given) => Object.keys(given).length <= tagsMax, `must not have more than ${tagsMax} tags`)
  .describe('Short labels by which sessions and costs are filtered and grouped later.')
  .meta({ maxProperties: tagsMax, examples: [{ team: 'search' }] })

/** The bytes are counted as JSON. The value came from a JSON parser, so it holds nothing that JSON cannot carry. */
export const metadata = z
  .custom<JsonObject>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'must be an object',
  )
  .refine(
    (given) => Buffer.byteLength(JSON.stringify(given)) <= metadataBytesMax,
    `must not have more than ${metadataBytesMax} bytes as JSON`,
  )
  .describe('Anything that the session should carry along.')
  .meta({ type: 'object', additionalProperties: true })

export const returnSession = z
  .literal([false, true, 'summary'], 'must be true, false or "summary"')
  .describe('Whether the answer carries the session: the whole of it, or a summary.')
  .meta({ type: undefined, enum: undefined, anyOf: [{ type: 'boolean' }, { type: 'string', const: 'summary' }] })

export const budgetUsd = z
  .number()
  .positive()
  .max(budgetUsdMax)
  .describe('USD that may be spent, sub-tactics and retries included. Beyond that it ends as budget-exceeded.')

export const callLimits = limitsConfig
  .pick({ tokens: true, llm_calls: true, depth: true })
  .describe(
    'What the call may take beside money, sub-tactics and retries included. Beyond that it ends as budget-exceeded.',
  )

/** The name of a tactic or of a config, as a caller writes it. Whether there is one of that name is for the engine to say. */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,129}$/, 'must be a name: letters, digits and _ . : / -, at most 130')

export const configName = name.describe("One of the tactic's configs. Left out: its default.")

export const task = z.unknown().refine((given) => given !== undefined, 'is required')

/** The id of a session in a path. An id that could be none of ours is simply not found. */
export const sessionId = z.string().regex(sessionIdPattern, 'must be the id of a session')

/** RFC 3339: a time with its offset, or a day, which means its first moment in UTC. Becomes ms since 1970. */
export const time = z
  .union(
    [z.iso.datetime({ offset: true }), z.iso.date()],
    'must be an RFC 3339 time such as 2026-11-02T09:30:00Z, or a day such as 2026-11-02',
  )
  .transform((text) => Date.parse(text))
  .meta({ anyOf: undefined, type: 'string', examples: ['2026-11-02T09:30:00Z', '2026-11-02'] })

/** The id of a run or of a batch of runs in a path. One that could be none of ours is simply not found. */
export const runId = z.string().regex(sessionIdPattern, 'must be the id of a run')
