import { type Config, resolveConfig } from '../../domain/config.ts'
import { baseChain, configMistake } from '../../domain/config-bases.ts'
import { isLllmError } from '../../domain/errors.ts'
import { findResource } from '../../domain/find-resource.ts'
import type { ConfigSource, Package, PackageSet } from '../../domain/package.ts'
import { promptKind } from '../../domain/resource-kinds.ts'
import type { Findings } from './check-findings.ts'

/** A config without a mistake of its own. */
export interface SoundConfig {
  readonly config: Config
  /** What it is made of: itself, its base, the base of that. */
  readonly chain: readonly ConfigSource[]
}

/**
 * Resolves every config, and looks for the prompts that it names. A mistake in a base is told once, there.
 *
 * @param unreadable The files of configs that could not be read, which has been told.
 */
export function judgeConfigs(
  { all }: PackageSet,
  unreadable: ReadonlySet<string>,
  findings: Findings,
): readonly SoundConfig[] {
  const entries = all.flatMap((home) => [...home.configs.values()].map((source) => ({ home, source })))
  const broken = new Set(entries.flatMap(({ source }) => (unreadable.has(source.file) ? [source] : [])))
  const chains = new Map(entries.map(({ home, source }) => [source, chainOf(source, home)]))
  const sound: SoundConfig[] = []
  // Bases first: a chain is shorter than those of whoever builds on it.
  const inOrder = entries.toSorted((left, right) => lengthOf(chains, left.source) - lengthOf(chains, right.source))
  for (const { home, source } of inOrder) {
    const chain = chains.get(source) ?? []
    const isBuiltOnSand = chain.some((link) => broken.has(link))
    const config = isBuiltOnSand ? undefined : resolveOrNote(source, home, findings)
    if (config === undefined) broken.add(source)
    else sound.push({ config, chain })
  }
  for (const { config } of sound) noteUnknownPrompts(config, findings)
  return sound
}

/** Empty where the chain itself has a mistake, which is told when the config is resolved. */
function chainOf(source: ConfigSource, home: Package): readonly ConfigSource[] {
  try {
    return baseChain(source, home)
  } catch (error) {
    if (isLllmError(error)) return []
    throw error
  }
}

function lengthOf(chains: ReadonlyMap<ConfigSource, readonly ConfigSource[]>, source: ConfigSource): number {
  return chains.get(source)?.length ?? 0
}

function resolveOrNote(source: ConfigSource, home: Package, findings: Findings): Config | undefined {
  try {
    return resolveConfig(source, home)
  } catch (error) {
    if (!isLllmError(error)) throw error
    findings.note(error)
    return undefined
  }
}

/** In the words of whoever links an agent, so that the two are one finding. */
function noteUnknownPrompts({ file, home, agents }: Config, findings: Findings) {
  for (const { name, systemPromptPath: path } of agents.values()) {
    const found = path === undefined ? undefined : findResource(home, path, promptKind)
    if (found?.ok === false) findings.note(configMistake(file, `/agent_configs: "${name}": ${found.message}`))
  }
}
