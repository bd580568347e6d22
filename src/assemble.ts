import type { StandingBudget } from './domain/budget.ts'
import { readBudgets } from './domain/budget-file.ts'
import type { World } from './domain/clock.ts'
import { listKnown } from './domain/errors.ts'
import type { PriceBook } from './domain/invoker.ts'
import type { BoundTactic } from './engine/engine.ts'
import { type KeeperEvent, keepSessions } from './engine/session-keeper.ts'
import { openStandingBudgets } from './engine/standing-budgets.ts'
import { createPriceBook, readPriceOverrides } from './invokers/pricing.ts'
import { type House, loadHouse } from './load-house.ts'
import { readYaml } from './packages/read-yaml.ts'
import { createRemoteTactics } from './remote/create-remote-tactics.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { readSettingFile } from './setting-file.ts'
import { invokerKey, type Settings } from './settings.ts'
import { openSessionStore } from './stores/open-session-store.ts'

export interface AssembleOptions {
  /** Where the search for a manifest begins. */
  readonly folder: string
  readonly world: World
  readonly onKeeperEvent: (event: KeeperEvent) => void
}

/**
 * Puts a runtime together: settings → packages, invokers, store → engine. Whatever was opened is closed again on failure.
 *
 * @throws LllmError that says which file or setting has a mistake, and what would be right.
 */
export async function assemble(settings: Settings, options: AssembleOptions): Promise<Runtime> {
  const { folder, world } = options
  const opening = openSessionStore(settings.database)
  const loading = loadHouse(settings, { folder, clock: world.clock })
  try {
    const [prices, house, store] = await Promise.all([openPriceBook(settings), loading, opening])
    const limits = await readBudgetsFile(settings)
    const budgets =
      limits.length === 0 ? {} : { budgets: await openStandingBudgets(limits, store.budgets, world.clock) }
    // It has no socket before the first call.
    const remotes = createRemoteTactics({ keyOf: (name) => invokerKey(settings, name) })
    return createRuntime({
      settings,
      house,
      engineParts: { world, prices, toolSource: house.toolSource, remotes, ...budgets },
      store,
      keeper: keepSessions(store, options.onKeeperEvent),
      warnings: [...settings.warnings, ...house.warnings, ...findUnknownTactics(limits, house)],
    })
  } catch (error) {
    // Also what is still being opened while something else has failed.
    const opened: readonly Promise<{ close(): Promise<void> }>[] = [opening, loading]
    await Promise.allSettled(opened.map(async (part) => (await part).close()))
    throw error
  }
}

async function openPriceBook({ pricesFile }: Settings): Promise<PriceBook> {
  if (pricesFile === undefined) return createPriceBook()
  const text = await readSettingFile(pricesFile, 'LLLM_PRICES')
  return createPriceBook({
    overrides: readPriceOverrides(readYaml(text, { file: pricesFile, code: 'invalid-settings' }), pricesFile),
  })
}

async function readBudgetsFile({ budgetsFile }: Settings): Promise<readonly StandingBudget[]> {
  if (budgetsFile === undefined) return []
  const text = await readSettingFile(budgetsFile, 'LLLM_BUDGETS')
  return readBudgets(readYaml(text, { file: budgetsFile, code: 'invalid-settings' }), budgetsFile)
}

/** One file of budgets may serve several services, so that a tactic which is not here may be elsewhere. */
function findUnknownTactics(budgets: readonly StandingBudget[], { tactics }: House): readonly string[] {
  const known = tactics.map(({ name }) => name)
  const isKnown = (wanted: string) => tactics.some(({ name, id }: BoundTactic) => wanted === name || wanted === id)
  return budgets.flatMap(({ scope }) => {
    if (scope.kind !== 'tactic' || isKnown(scope.tactic)) return []
    return [
      `LLLM_BUDGETS: there is no tactic "${scope.tactic}", so its budget limits nothing. ${listKnown(scope.tactic, known)}`,
    ]
  })
}
