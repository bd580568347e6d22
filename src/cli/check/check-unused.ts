import type { Config } from '../../domain/config.ts'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import { findResource } from '../../domain/find-resource.ts'
import type { ConfigSource, Package, PackageSet } from '../../domain/package.ts'
import { configKind, promptKind } from '../../domain/resource-kinds.ts'
import { createAttempt } from '../../engine/attempt.ts'
import { shelveConfigs } from '../../engine/config-names.ts'
import { registerTactics } from '../../engine/tactic-registry.ts'
import { listFiles } from '../../packages/list-files.ts'
import { readText } from '../../packages/read-text.ts'
import { isSystemError } from '../system-error.ts'
import type { SoundConfig } from './check-configs.ts'
import type { ReadPackage } from './check-files.ts'
import type { Findings } from './check-findings.ts'

/** A module that somebody wrote is smaller. */
const codeBytesMax = 4 * 1024 * 1024
/** The folder of a package has fewer files, but for what is installed there. */
const filesMax = 20_000

/** The served package, as its files are. */
export interface ServedFiles extends Pick<ReadPackage, 'textPromptFiles'> {
  readonly folder: string
}

/** Warns of what is in the served package and is used by nothing. What other packages have may be for others. */
export async function warnOfUnused(
  packages: PackageSet,
  sound: readonly SoundConfig[],
  served: ServedFiles,
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
  await warnOfPrompts(root, configs, served, findings)
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
  { folder, textPromptFiles }: ServedFiles,
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
  const named = await findNamed(
    unused.map(({ name }) => name),
    folder,
  )
  for (const { name, file } of unused) {
    if (named?.has(name) === false)
      findings.warn([`${file}: The prompt "${name}" is named by no config and by no tactic.`])
  }
}

/** In quotes, by itself or behind the name of the package. */
function isNamedIn(text: string, name: string): boolean {
  return [`'`, '"', '`'].some((quote) => text.includes(`${quote}${name}${quote}`) || text.includes(`:${name}${quote}`))
}

/**
 * Which of some names a module of the package has in it, wherever that is: tactics may import any of them. Undefined where there
 * are too many files, or one cannot be read as text: what is in it, nobody can say.
 */
async function findNamed(names: readonly string[], folder: string): Promise<ReadonlySet<string> | undefined> {
  const limits = { code: 'invalid-tactic', bytesMax: codeBytesMax } as const
  let left = filesMax
  const isModule = (fileName: string) => {
    if (left-- === 0) throw new LllmError('invalid-manifest', `${folder}: There are more than ${filesMax} files here.`)
    return /\.[cm]?[jt]sx?$/.test(fileName)
  }
  try {
    const { files } = await listFiles(folder, { paths: [{ path: '', prefix: '' }], declared: false }, isModule)
    const named = new Set<string>()
    // One after the other: there may be many.
    for (const { file } of files) {
      const text = await readText(file, limits)
      for (const name of names) if (isNamedIn(text, name)) named.add(name)
    }
    return named
  } catch (error) {
    if (isLllmError(error) || isSystemError(error)) return undefined
    throw error
  }
}
