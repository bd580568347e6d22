import type { StandingBudget } from './domain/budget.ts'
import { readBudgets } from './domain/budget-file.ts'
import { listKnown } from './domain/errors.ts'
import type { PriceBook } from './domain/invoker.ts'
import { createPriceBook, readPriceOverrides } from './invokers/pricing.ts'
import { readYaml } from './packages/read-yaml.ts'
import { readSettingFile } from './setting-file.ts'
import type { Settings } from './settings.ts'

/** The prices that are known. @throws LllmError `invalid-settings` */
export async function openPriceBook({ pricesFile }: Pick<Settings, 'pricesFile'>): Promise<PriceBook> {
  if (pricesFile === undefined) return createPriceBook()
  const text = await readSettingFile(pricesFile, 'LLLM_PRICES')
  return createPriceBook({
    overrides: readPriceOverrides(readYaml(text, { file: pricesFile, code: 'invalid-settings' }), pricesFile),
  })
}

/** The standing budgets, of which there may be none. @throws LllmError `invalid-settings` */
export async function readBudgetsFile({
  budgetsFile,
}: Pick<Settings, 'budgetsFile'>): Promise<readonly StandingBudget[]> {
  if (budgetsFile === undefined) return []
  const text = await readSettingFile(budgetsFile, 'LLLM_BUDGETS')
  return readBudgets(readYaml(text, { file: budgetsFile, code: 'invalid-settings' }), budgetsFile)
}

/**
 * What to warn of where budgets are for tactics that are not there. One file may serve several services, so that a tactic which is
 * not here may be elsewhere.
 */
export function findUnknownTactics(
  budgets: readonly StandingBudget[],
  tactics: readonly { readonly name: string; readonly id: string }[],
): readonly string[] {
  const known = tactics.map(({ name }) => name)
  const isKnown = (wanted: string) => tactics.some(({ name, id }) => wanted === name || wanted === id)
  return budgets.flatMap(({ scope }) => {
    if (scope.kind !== 'tactic' || isKnown(scope.tactic)) return []
    return [
      `LLLM_BUDGETS: there is no tactic "${scope.tactic}", so its budget limits nothing. ${listKnown(scope.tactic, known)}`,
    ]
  })
}
