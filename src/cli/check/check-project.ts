import type { StandingBudget } from '../../domain/budget.ts'
import type { ConfigSource } from '../../domain/package.ts'
import { registerTactics } from '../../engine/tactic-registry.ts'
import { linkOwnLllm, openBindParts, readMcpFile } from '../../load-house.ts'
import { findUnknownTactics, openPriceBook, readBudgetsFile } from '../../operator-files.ts'
import type { LonePackage } from '../../packages/load-package.ts'
import { linkPackages } from '../../packages/load-packages.ts'
import type { Manifest } from '../../packages/manifest.ts'
import type { PackageNode, PackageTree } from '../../packages/package-tree.ts'
import type { Settings } from '../../settings.ts'
import { systemWorld } from '../../system-world.ts'
import { userPackagesFolder } from '../../user-packages.ts'
import { judgeConfigs } from './check-configs.ts'
import { type ReadPackage, readPackageFiles } from './check-files.ts'
import type { Findings } from './check-findings.ts'
import { findPackages } from './check-packages.ts'
import { judgeSchedules } from './check-schedules.ts'
import { judgeTactics } from './check-tactics.ts'
import { warnOfUnused } from './check-unused.ts'
import { findExcused, findUsable } from './check-usable.ts'

export interface CheckReport {
  readonly findings: Findings
  readonly checked: {
    readonly packages: number
    readonly configs: number
    readonly prompts: number
    readonly tactics: number
  }
}

/** What is checked, and how. */
export interface Check {
  readonly settings: Settings
  /** Where the search for a manifest begins. */
  readonly folder: string
  /** Whether no code of the packages may run. */
  readonly isStatic: boolean
}

/** Judges a whole project. It does not end at the first mistake; what could not be judged because of one is passed over. */
export async function checkProject(check: Check, findings: Findings): Promise<CheckReport> {
  const { settings, folder, isStatic } = check
  findings.warn(settings.warnings)
  const budgets = await judgeOperatorFiles(settings, findings)
  const { manifestFile } = settings
  const { tree, manifests } = await findPackages(
    {
      folder,
      ...(manifestFile === undefined ? {} : { manifestPath: manifestFile }),
      userFolder: userPackagesFolder(settings),
    },
    findings,
  )
  if (!isStatic) linkOwnLllm()
  const read = new Map<Manifest, ReadPackage>()
  for (const manifest of manifests) read.set(manifest, await readPackageFiles(manifest, findings, isStatic))
  if (tree !== undefined) await judgeTogether({ ...check, budgets }, tree, read, findings)
  const all = [...read.values()]
  const sum = (count: (one: ReadPackage) => number) => all.reduce((total, one) => total + count(one), 0)
  return {
    findings,
    checked: {
      packages: all.length,
      configs: sum(({ source }) => source.configs.size),
      prompts: sum(({ source }) => source.prompts.size),
      tactics: sum(({ source, tacticFileCount }) => (isStatic ? tacticFileCount : source.tactics.length)),
    },
  }
}

/** Judges what packages, configs, prompts and tactics say of each other. */
async function judgeTogether(
  { settings, isStatic, budgets }: Check & { readonly budgets: readonly StandingBudget[] },
  tree: PackageTree,
  read: ReadonlyMap<Manifest, ReadPackage>,
  findings: Findings,
): Promise<void> {
  const sourceOf = (node: PackageNode) => (read.get(node.manifest) as ReadPackage).source
  const link = (isWanted: (config: ConfigSource) => boolean) => {
    const sources = tree.nodes.map((node) => [node, withConfigs(sourceOf(node), isWanted)] as const)
    return linkPackages(tree, new Map(sources))
  }
  const packages = await findings.attempt(() => link(() => true))
  if (packages === undefined) return
  const unreadable = new Set([...read.values()].flatMap(({ brokenConfigFiles }) => brokenConfigFiles))
  const sound = judgeConfigs(packages, unreadable, findings)
  if (isStatic) return
  const registry = await findings.attempt(() => registerTactics(packages))
  const parts = await findings.attempt(() => openBindParts(settings, systemWorld.clock))
  if (registry === undefined || parts === undefined) return
  const lacksTactics = [...read.values()].some((one) => one.lacksTactics)
  const usable = findUsable(sound, registry, lacksTactics)
  try {
    const linked = link(({ file }) => usable.has(file))
    await judgeTactics({ packages: linked, parts, excused: findExcused(packages, registry, usable) }, findings)
    await judgeSchedules(settings, { packages: linked, parts }, findings)
  } finally {
    await Promise.allSettled([parts.invokers.close(), parts.toolSource.close()])
  }
  if (lacksTactics) return
  findings.warn(findUnknownTactics(budgets, registry.all))
  const { manifest } = tree.root
  const { textPromptFiles } = read.get(manifest) as ReadPackage
  await warnOfUnused(packages, sound, { folder: manifest.folder, textPromptFiles }, findings)
}

/** Judges the files that settings name, of which none is the package's. It gives the budgets, as far as they can be read. */
async function judgeOperatorFiles(settings: Settings, findings: Findings): Promise<readonly StandingBudget[]> {
  await findings.attempt(() => openPriceBook(settings))
  await findings.attempt(() => readMcpFile(settings))
  return (await findings.attempt(() => readBudgetsFile(settings))) ?? []
}

function withConfigs(source: LonePackage, isWanted: (config: ConfigSource) => boolean): LonePackage {
  return { ...source, configs: new Map([...source.configs].filter(([, config]) => isWanted(config))) }
}
