import { z } from 'zod'
import { count } from './cost-schemas.ts'

const usd = z.number().min(0).describe('In USD.')
const time = z.iso.datetime()
const amount = z.number().min(0)

export const limitExcess = z
  .object({
    name: z.string().describe('Whose limit it is.'),
    unit: z.enum(['usd', 'tokens', 'llm_calls', 'depth']),
    limit: amount.optional(),
    spent: amount.optional(),
    reserved: amount.optional().describe('Set aside for requests under way.'),
    needed: amount.optional().describe('What the next request might have taken at the most.'),
  })
  .describe(
    'The limit that was in the way, of a budget-exceeded. Of a budget that all tenants share only the default tenant is told figures.',
  )

const spending = {
  spent_usd: usd,
  reserved_usd: usd.describe('Set aside for requests under way, as the most that they may cost.'),
}

export const budgetList = z
  .object({
    data: z.array(
      z.object({
        scope: z.enum(['total', 'tactic', 'tag', 'key']),
        tactic: z.string().nullable(),
        tag: z.string().nullable(),
        value: z.string().nullable().describe('Null where each value of the tag has a budget of its own.'),
        key: z.string().nullable().describe('The id of the first of the keys that have it.'),
        tenant: z.string().nullable().describe('Whose calls it is about. Null: those of all tenants together.'),
        per: z.enum(['day', 'month']),
        limit_usd: usd,
        ...spending,
        left_usd: usd.nullable().describe('Neither spent nor reserved. Null where each value has its own.'),
        starts_at: time,
        resets_at: time.describe('When the next day or month begins, in UTC.'),
        values: z
          .array(z.object({ value: z.string(), ...spending, left_usd: usd }))
          .describe('Where each value has its own: the 100 values that spent most.'),
        value_count: count.describe('How many values there were.'),
      }),
    ),
    next_cursor: z.null(),
  })
  .describe(
    'The standing budgets in their current day or month, in the order of the settings, and those of the keys that were used since the start.',
  )
