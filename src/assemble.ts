import { readFile } from 'node:fs/promises'
import type { StandingBudget } from './domain/budget.ts'
import { readBudgets } from './domain/budget-file.ts'
import type { Clock, World } from './domain/clock.ts'
import { LllmError, listKnown } from './domain/errors.ts'
import type { PriceBook } from './domain/invoker.ts'
import type { InvokerPool } from './domain/invoker-pool.ts'
import type { ToolSource } from './domain/tool-source.ts'
import { bindPackage } from './engine/bind.ts'
import type { BoundTactic } from './engine/engine.ts'
import { type KeeperEvent, keepSessions } from './engine/session-keeper.ts'
import { openStandingBudgets } from './engine/standing-budgets.ts'
import { createInvokerPool } from './invokers/create-invoker-pool.ts'
import { createPriceBook, readPriceOverrides } from './invokers/pricing.ts'
import { linkLllm } from './packages/link-lllm.ts'
import { loadPackage } from './packages/load-package.ts'
import { readYaml } from './packages/read-yaml.ts'
import { createRuntime, type Runtime } from './runtime.ts'
import { invokerKey, type Settings } from './settings.ts'
import { openSessionStore } from './stores/open-session-store.ts'

export interface AssembleOptions {
  /** Where the search for a manifest begins. */
  readonly folder: string
  readonly world: World
  readonly onKeeperEvent: (event: KeeperEvent) => void
}

/**
 * Puts a runtime together: settings → package, invokers, store → engine. Whatever was opened is closed again on failure.
 *
 * @throws LllmError that says which file or setting has a mistake, and what would be right.
 */
export async function assemble(settings: Settings, options: AssembleOptions): Promise<Runtime> {
  linkLllm(new URL(import.meta.url.endsWith('.ts') ? './index.ts' : './index.js', import.meta.url).href)
  const opened: { close(): Promise<void> }[] = []
  try {
    const invokers = openInvokers(settings, options.world.clock)
    opened.push(invokers)
    const toolSource = await openToolSource(settings)
    opened.push(toolSource)
    const opening = openSessionStore(settings.database)
    // Also when something else fails first, while the store is still being opened.
    opened.push({ close: async () => (await opening).close() })
    const { folder, world } = options
    const [prices, loaded, store] = await Promise.all([
      openPriceBook(settings),
      loadPackage({ folder, ...(settings.manifestFile === undefined ? {} : { manifestPath: settings.manifestFile }) }),
      opening,
    ])
    const tactics = bindPackage(loaded.package, { invokers, toolSource })
    const limits = await readBudgetsFile(settings)
    const budgets =
      limits.length === 0 ? {} : { budgets: await openStandingBudgets(limits, store.budgets, world.clock) }
    return createRuntime({
      tactics,
      source: loaded.package,
      engineParts: { world, prices, toolSource, ...budgets },
      invokers,
      store,
      keeper: keepSessions(store, options.onKeeperEvent),
      warnings: [...settings.warnings, ...loaded.warnings, ...findUnknownTactics(limits, tactics)],
    })
  } catch (error) {
    await Promise.allSettled(opened.map((part) => part.close()))
    throw error
  }
}

function openInvokers(settings: Settings, clock: Clock): InvokerPool {
  const limits = {
    concurrency: settings.providerConcurrency,
    requestsPerMinute: settings.providerRequestsPerMinute,
    tokensPerMinute: settings.providerTokensPerMinute,
  }
  const keyOf = (invoker: string) => invokerKey(settings, invoker)
  return createInvokerPool({ apiKey: settings.openaiApiKey, baseUrl: settings.openaiBaseUrl, keyOf, limits }, clock)
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
function findUnknownTactics(budgets: readonly StandingBudget[], tactics: readonly BoundTactic[]): readonly string[] {
  const known = tactics.map(({ name }) => name)
  const isKnown = (wanted: string) => tactics.some(({ name, id }) => wanted === name || wanted === id)
  return budgets.flatMap(({ scope }) => {
    if (scope.kind !== 'tactic' || isKnown(scope.tactic)) return []
    return [
      `LLLM_BUDGETS: there is no tactic "${scope.tactic}", so its budget limits nothing. ${listKnown(scope.tactic, known)}`,
    ]
  })
}

const noToolSource: ToolSource = { servers: [], tools: async () => [], close: async () => {} }

async function openToolSource({ mcpFile }: Settings): Promise<ToolSource> {
  if (mcpFile === undefined) return noToolSource
  const text = await readSettingFile(mcpFile, 'LLLM_MCP_CONFIG')
  const [{ readMcpConfig }, { createMcpToolSource }] = await Promise.all([
    import('./mcp/mcp-config.ts'),
    import('./mcp/mcp-tool-source.ts'),
  ])
  return createMcpToolSource(readMcpConfig(parseJson(text, mcpFile), mcpFile))
}

async function readSettingFile(file: string, variable: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new LllmError('invalid-settings', `${variable}: the file ${file} cannot be read.`, { file }, { cause })
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LllmError('invalid-settings', `${file}: It is not JSON.`, { file }, { cause })
  }
}
