import type { Config } from '../domain/config.ts'
import { isLllmError } from '../domain/errors.ts'
import { findResource } from '../domain/find-resource.ts'
import type { ConfigSource, Package, PackageSet } from '../domain/package.ts'
import { configKind, promptKind } from '../domain/resource-kinds.ts'
import { createAttempt } from '../engine/attempt.ts'
import { shelveConfigs } from '../engine/config-names.ts'
import { registerTactics } from '../engine/tactic-registry.ts'
import type { ListedFile } from '../packages/list-files.ts'
import { readText } from '../packages/read-text.ts'
import type { SoundConfig } from './check-configs.ts'
import type { ReadPackage } from './check-files.ts'
import type { Findings } from './check-findings.ts'

/** A module that somebody wrote is smaller. */
const codeBytesMax = 4 * 1024 * 1024

/** Warns of what is in the served package and is used by nothing. What other packages have may be for others. */
export async function warnOfUnused(
  packages: PackageSet,
  sound: readonly SoundConfig[],
  read: ReadPackage,
  findings: Findings,
): Promise<void> {
  const { root } = packages
  const used = new Set(filesOfTactics(packages))
  for (const { config, chain } of sound) {
    for (const { file } of [...chain.slice(1), ...namedConfigs(config)]) used.add(file)
  }
  for (const { name, file } of root.configs.values()) {
    if (!used.has(file))
      findings.warn([`${file}: The config "${name}" is for no tactic, and no other config names it.`])
  }
  const configs = sound.map(({ config }) => config)
  await warnOfPrompts(root, configs, read, findings)
}

function filesOfTactics(packages: PackageSet): readonly string[] {
  // Mistakes have been told.
  const attempt = createAttempt(() => undefined)
  const registry = attempt(() => registerTactics(packages))
  if (registry === undefined) return []
  const shelf = shelveConfigs(packages, registry, attempt)
  return registry.all.flatMap((tactic) => shelf.of(tactic).map(([, { file }]) => file))
}

function namedConfigs({ home, subTactics }: Config): readonly ConfigSource[] {
  return [...subTactics.values()].flatMap((name) => {
    const found = findResource(home, name, configKind)
    return found.ok ? [found.value] : []
  })
}

/** Of prompts in modules nothing is said: tactics import them. */
async function warnOfPrompts(
  root: Package,
  configs: readonly Config[],
  { textPromptFiles, codeFiles }: ReadPackage,
  findings: Findings,
): Promise<void> {
  const used = new Set(
    configs.flatMap(({ home, agents }) =>
      [...agents.values()].flatMap(({ systemPromptPath: path }) => {
        const found = path === undefined ? undefined : findResource(home, path, promptKind)
        return found?.ok === true && found.home === root ? [found.path] : []
      }),
    ),
  )
  const unused = textPromptFiles.filter(({ name }) => root.prompts.has(name) && !used.has(name))
  if (unused.length === 0) return
  const code = await readCode(codeFiles)
  for (const { name, file } of unused) {
    if (code === undefined || code.some((text) => isNamedIn(text, name))) continue
    findings.warn([`${file}: The prompt "${name}" is named by no config and by no tactic.`])
  }
}

/** In quotes, by itself or behind the name of the package. */
function isNamedIn(text: string, name: string): boolean {
  return [`'`, '"', '`'].some((quote) => text.includes(`${quote}${name}${quote}`) || text.includes(`:${name}${quote}`))
}

/** Undefined where a module cannot be read as text: what is in it, nobody can say. */
async function readCode(files: readonly ListedFile[]): Promise<readonly string[] | undefined> {
  try {
    const limits = { code: 'invalid-tactic', bytesMax: codeBytesMax } as const
    return await Promise.all(files.map(({ file }) => readText(file, limits)))
  } catch (error) {
    if (isLllmError(error)) return undefined
    throw error
  }
}
