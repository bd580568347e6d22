import type { Clock } from './domain/clock.ts'
import { LllmError } from './domain/errors.ts'
import type { InvokerPool } from './domain/invoker-pool.ts'
import type { PackageSet } from './domain/package.ts'
import type { ToolSource } from './domain/tool-source.ts'
import { type Binder, createBinder } from './engine/bind.ts'
import type { BoundTactic } from './engine/engine.ts'
import { createInvokerPool } from './invokers/create-invoker-pool.ts'
import type { FindSharedRates } from './invokers/paced-invoker.ts'
import type { McpConfig } from './mcp/mcp-config.ts'
import { judgeAddress } from './outbound/judge-address.ts'
import { operatorRules } from './outbound-rules.ts'
import { linkLllm } from './packages/link-lllm.ts'
import { loadPackages } from './packages/load-packages.ts'
import type { PackageTree } from './packages/package-tree.ts'
import { readSettingFile } from './setting-file.ts'
import { invokerKey, type Settings } from './settings.ts'
import { userPackagesFolder } from './user-packages.ts'

/** Everything that is known of the tactics before anything is called. No store is opened, and no provider is asked. */
export interface House {
  readonly tactics: readonly BoundTactic[]
  readonly packages: PackageSet
  readonly tree: PackageTree
  readonly binder: Binder
  readonly invokers: InvokerPool
  readonly toolSource: ToolSource
  /** What the served package calls others: the names of packages by their aliases. */
  readonly aliases: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
  /** Lets go of invokers and MCP servers. */
  close(): Promise<void>
}

export interface HouseOptions {
  /** Where the search for a manifest begins. */
  readonly folder: string
  readonly clock: Clock
  /** Finds what counts the rates of providers for several processes. It is asked with the first request to a model. */
  readonly sharedRates?: FindSharedRates
  /** Of a test: the models and tools that there are instead of those of the settings. The user's own packages stay away, too. */
  readonly scripted?: Pick<House, 'invokers' | 'toolSource'>
}

/**
 * Loads all packages of a project and links their tactics.
 *
 * @throws LllmError that says which file or setting has a mistake, and what would be right.
 */
export async function loadHouse(settings: Settings, options: HouseOptions): Promise<House> {
  const { folder, clock, sharedRates, scripted } = options
  linkOwnLllm()
  const { invokers, toolSource } = scripted ?? (await openBindParts(settings, clock, sharedRates))
  const close = async () => void (await Promise.allSettled([invokers.close(), toolSource.close()]))
  try {
    const { manifestFile } = settings
    const loaded = await loadPackages({
      folder,
      ...(manifestFile === undefined ? {} : { manifestPath: manifestFile }),
      ...(scripted === undefined ? { userFolder: userPackagesFolder(settings) } : {}),
    })
    const binder = createBinder(loaded.packages, { invokers, toolSource })
    const tactics = binder.bindAll()
    const { packages, tree, warnings } = loaded
    return { tactics, packages, tree, binder, invokers, toolSource, aliases: aliasesOf(packages), warnings, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Lets tactics import this library by its name. To be called before the first of them is imported. */
export function linkOwnLllm() {
  linkLllm(new URL(import.meta.url.endsWith('.ts') ? './index.ts' : './index.js', import.meta.url).href)
}

/** The models and tools of the settings. Nothing is connected or asked before it is used. */
export async function openBindParts(
  settings: Settings,
  clock: Clock,
  sharedRates?: FindSharedRates,
): Promise<Pick<House, 'invokers' | 'toolSource'>> {
  return { invokers: openInvokers(settings, clock, sharedRates), toolSource: await openToolSource(settings) }
}

/** What the served package calls others: the names of packages by their aliases. */
export function aliasesOf({ root }: PackageSet): ReadonlyMap<string, string> {
  return new Map([...root.reachable].map(([alias, { name }]) => [alias, name]))
}

function openInvokers(settings: Settings, clock: Clock, sharedRates?: FindSharedRates): InvokerPool {
  const limits = {
    concurrency: settings.providerConcurrency,
    requestsPerMinute: settings.providerRequestsPerMinute,
    tokensPerMinute: settings.providerTokensPerMinute,
  }
  const keyOf = (invoker: string) => invokerKey(settings, invoker)
  const { openaiApiKey: apiKey, openaiBaseUrl: baseUrl } = settings
  return createInvokerPool({ apiKey, baseUrl, keyOf, limits }, clock, sharedRates)
}

const noToolSource: ToolSource = { servers: [], tools: async () => [], close: async () => {} }

async function openToolSource(settings: Settings): Promise<ToolSource> {
  const servers = await readMcpFile(settings)
  if (servers === undefined) return noToolSource
  const { createMcpToolSource } = await import('./mcp/mcp-tool-source.ts')
  return createMcpToolSource(servers, operatorRules(settings))
}

/** The MCP servers of the settings, none of which is started or asked. @throws LllmError `invalid-settings` */
export async function readMcpFile(
  settings: Pick<Settings, 'mcpFile' | 'outboundAllow'>,
): Promise<McpConfig | undefined> {
  const { mcpFile } = settings
  if (mcpFile === undefined) return undefined
  const [{ readMcpConfig }, text] = await Promise.all([
    import('./mcp/mcp-config.ts'),
    readSettingFile(mcpFile, 'LLLM_MCP_CONFIG'),
  ])
  const servers = readMcpConfig(parseJson(text, mcpFile), mcpFile)
  for (const [name, server] of servers) {
    const refusal = server.kind === 'url' ? judgeAddress(new URL(server.url), operatorRules(settings)) : undefined
    if (refusal === undefined) continue
    const message = `${mcpFile}: /mcpServers/${name}/url ${refusal}, unless LLLM_OUTBOUND_ALLOW names it.`
    throw new LllmError('invalid-settings', message, { file: mcpFile })
  }
  return servers
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The message of the parser quotes what stands around the place, which may be a secret.
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(cause instanceof Error ? cause.message : '') ?? []
    const place = line === undefined ? '' : `:${line}:${column}`
    throw new LllmError('invalid-settings', `${file}${place}: It is not JSON.`, { file }, { cause })
  }
}
