import { z } from 'zod'
import { type BudgetScope, budgetId, type StandingBudget } from './budget.ts'
import { LllmError } from './errors.ts'
import { budgetUsdMax, toPicoUsd } from './limits.ts'
import { tellIssue } from './tell-issue.ts'
import { tenantPattern } from './tenant.ts'

const budgetsMax = 1_000
/** At most this many mistakes of the file are told at once. */
const issuesMax = 10

const scope = z.union(
  [
    z.literal('total').transform((): BudgetScope => ({ kind: 'total' })),
    z
      .strictObject({ tactic: z.string().min(1).max(256) })
      .transform(({ tactic }): BudgetScope => ({ kind: 'tactic', tactic })),
    z
      .strictObject({ tag: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), value: z.string().max(256).optional() })
      .transform(({ tag, value = null }): BudgetScope => ({ kind: 'tag', key: tag, value })),
  ],
  'must be total, { tactic: name }, { tag: key } or { tag: key, value: value }',
)

const budgetFile = z.strictObject({
  budgets: z
    .array(
      z.strictObject({
        scope,
        tenant: z.string().regex(tenantPattern).optional(),
        limit_usd: z.number().positive().max(budgetUsdMax),
        per: z.enum(['day', 'month'], 'must be day or month'),
      }),
    )
    .max(budgetsMax),
})

/**
 * Reads the operator's file of standing budgets: `budgets`, a list of `scope`, `limit_usd`, `per`, and `tenant` where it is one tenant's.
 *
 * @throws LllmError `invalid-settings`, which names the file and each place in it.
 */
export function readBudgets(value: unknown, file: string): readonly StandingBudget[] {
  const parsed = budgetFile.safeParse(value)
  if (!parsed.success) {
    const told = parsed.error.issues.slice(0, issuesMax).map((issue) => tellIssue(issue, ['budgets']))
    throw mistake(file, told.join(' '))
  }
  const budgets = parsed.data.budgets.map(
    ({ scope: about, tenant, limit_usd, per }): StandingBudget => ({
      scope: about,
      ...(tenant === undefined ? {} : { tenant }),
      limitPicoUsd: toPicoUsd(limit_usd),
      per,
    }),
  )
  const ids = budgets.map(budgetId)
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index)
  if (twice !== -1)
    throw mistake(file, `/budgets/${twice}: There is already a budget of this scope per ${budgets[twice]?.per}.`)
  return budgets
}

function mistake(file: string, message: string): LllmError {
  return new LllmError('invalid-settings', `${file}: ${message}`, { file })
}
