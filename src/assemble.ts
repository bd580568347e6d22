import { readFile } from 'node:fs/promises'
import type { World } from './domain/clock.ts'
import { LllmError } from './domain/errors.ts'
import type { PriceBook } from './domain/invoker.ts'
import type { ToolSource } from './domain/tool-source.ts'
import { bindPackage } from './engine/bind.ts'
import { type KeeperEvent, keepSessions } from './engine/session-keeper.ts'
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
    const invokers = createInvokerPool({
      apiKey: settings.openaiApiKey,
      baseUrl: settings.openaiBaseUrl,
      keyOf: (invoker) => invokerKey(settings, invoker),
    })
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
    return createRuntime({
      tactics: bindPackage(loaded.package, { invokers, toolSource }),
      source: loaded.package,
      engineParts: { world, prices, toolSource },
      invokers,
      store,
      keeper: keepSessions(store, options.onKeeperEvent),
      warnings: [...settings.warnings, ...loaded.warnings],
    })
  } catch (error) {
    await Promise.allSettled(opened.map((part) => part.close()))
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
