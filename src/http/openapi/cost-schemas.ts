import { z } from 'zod'

export const count = z.int().min(0)
const usd = z.number().nullable().describe('In USD, rounded to 1e-12. Null where nothing could be priced.')

const costFields = {
  prompt_tokens: count,
  cached_prompt_tokens: count.describe('A part of prompt_tokens.'),
  completion_tokens: count,
  reasoning_tokens: count.describe('A part of completion_tokens.'),
  total_tokens: count,
  prompt_cost_usd: usd,
  completion_cost_usd: usd,
  cost_usd: usd,
  unpriced_calls: count.describe('Calls that may have been billed but whose price is unknown.'),
}

export const costUsd = usd
export const cost = z.object(costFields).describe('Tokens and money of any number of model calls.')

const llmCalls = count.describe('Requests that reached a provider.')

export const sessionCost = z
  .object({
    session_id: z.string(),
    total: z.object({ llm_calls: llmCalls, ...costFields }),
    lines: z.array(
      z.object({
        tactic: z.string().describe('The tactic that spent, also as a sub-tactic.'),
        tactic_id: z.string(),
        agent: z.string(),
        model: z.string(),
        llm_calls: llmCalls,
        ...costFields,
      }),
    ),
  })
  .describe('What one session cost. The lines add up to the total exactly.')

const totals = { sessions: count.describe('Sessions that have a share in it.'), llm_calls: llmCalls, ...costFields }
const groupKey = z.string().nullable()

export const costReport = z
  .object({
    data: z.array(
      z
        .object({
          tactic: groupKey.optional(),
          tactic_id: groupKey.optional().describe('Tells apart the tactics of one name.'),
          agent: groupKey.optional(),
          model: groupKey.optional(),
          day: groupKey.optional().describe('The UTC day on which the session started.'),
          ...totals,
        })
        .catchall(z.union([z.string(), z.number(), z.null()]))
        .describe(
          'Has a member for each group that was asked for, also `tag.KEY`; null where the session does not have the tag.',
        ),
    ),
    total: z.object(totals).describe('Over all sessions that fit, also those without a model call.'),
  })
  .describe('Costs of many sessions.')
