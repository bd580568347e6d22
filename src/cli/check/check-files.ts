import type { Asset, ConfigSource, TacticSource } from '../../domain/package.ts'
import { type AnyPrompt, definePrompt } from '../../domain/prompt.ts'
import { isAuthorsModule } from '../../packages/import-module.ts'
import { type ListedFile, listFiles } from '../../packages/list-files.ts'
import { listAssets } from '../../packages/load-assets.ts'
import { isConfigFile, loadConfigs } from '../../packages/load-configs.ts'
import type { LonePackage } from '../../packages/load-package.ts'
import { isPromptFile, loadPrompts } from '../../packages/load-prompts.ts'
import { loadTactics } from '../../packages/load-tactics.ts'
import type { Manifest } from '../../packages/manifest.ts'
import type { Section } from '../../packages/section.ts'
import type { Findings } from './check-findings.ts'

/** A package with as much in it as could be read. */
export interface ReadPackage {
  /** Configs that could not be read are there, and empty: what refers to them is not in the wrong. */
  readonly source: LonePackage
  readonly brokenConfigFiles: readonly string[]
  /** Whether there may be tactics that are not in `source`. */
  readonly lacksTactics: boolean
  readonly tacticFileCount: number
  /** Its `.md` prompts. */
  readonly textPromptFiles: readonly ListedFile[]
}

/** Reads each file of a package by itself, so that one mistake hides no other. Statically, no module is imported. */
export async function readPackageFiles(
  manifest: Manifest,
  findings: Findings,
  isStatic: boolean,
): Promise<ReadPackage> {
  const { name, version, description } = manifest
  const list = (section: Section, isWanted: (fileName: string) => boolean) =>
    listEach(manifest.folder, section, isWanted, findings)
  const configs = await loadEach(await list(manifest.configs, isConfigFile), loadConfigs, findings)
  const promptFiles = await list(manifest.prompts, isPromptFile)
  const [texts, modules] = [promptFiles.filter(isText), promptFiles.filter((listed) => !isText(listed))]
  const prompts = await loadEach(isStatic ? texts : promptFiles, loadPrompts, findings)
  const tacticFiles = await list(manifest.tactics, isAuthorsModule)
  const tactics = await loadEach(isStatic ? [] : tacticFiles, loadNamedTactics, findings)
  const sections = new Map<string, ReadonlyMap<string, Asset>>()
  for (const [sectionName, section] of manifest.sections) {
    const files = await list(section, () => true)
    sections.set(sectionName, (await findings.attempt(() => listAssets({ files, warnings: [] }))) ?? new Map())
  }
  const unread = isStatic ? [...prompts.broken, ...modules] : prompts.broken
  return {
    source: {
      name,
      version,
      ...(description === undefined ? {} : { description }),
      configs: new Map([...configs.broken.map(emptyConfig), ...configs.loaded]),
      prompts: new PromptsWithUnread(prompts.loaded, unread),
      tactics: [...tactics.loaded.values()],
      sections,
    },
    brokenConfigFiles: configs.broken.map(({ file }) => file),
    lacksTactics: isStatic || tactics.broken.length > 0,
    tacticFileCount: tacticFiles.length,
    textPromptFiles: texts,
  }
}

function isText({ file }: ListedFile): boolean {
  return file.endsWith('.md')
}

async function loadNamedTactics(files: readonly ListedFile[]): Promise<ReadonlyMap<string, TacticSource>> {
  return new Map((await loadTactics(files)).map((source) => [source.tactic.spec.name ?? '', source]))
}

function emptyConfig({ name, file }: ListedFile): readonly [string, ConfigSource] {
  return [name, { name, file, value: {} }]
}

/** The files of a section, path by path. */
async function listEach(
  folder: string,
  section: Section,
  isWanted: (fileName: string) => boolean,
  findings: Findings,
): Promise<readonly ListedFile[]> {
  const files = new Map<string, ListedFile>()
  for (const path of section.paths) {
    const listing = await findings.attempt(() => listFiles(folder, { ...section, paths: [path] }, isWanted))
    findings.warn(listing?.warnings ?? [])
    for (const listed of listing?.files ?? []) if (!files.has(listed.file)) files.set(listed.file, listed)
  }
  return [...files.values()]
}

interface Loaded<Entry> {
  readonly loaded: ReadonlyMap<string, Entry>
  readonly broken: readonly ListedFile[]
}

/** Loads files one by one; two that claim one name are loaded together, for the loader to say what is wrong with that. */
async function loadEach<Entry>(
  files: readonly ListedFile[],
  load: (files: readonly ListedFile[]) => Promise<ReadonlyMap<string, Entry>>,
  findings: Findings,
): Promise<Loaded<Entry>> {
  const loaded = new Map<string, Entry>()
  const owners = new Map<string, ListedFile>()
  const broken: ListedFile[] = []
  for (const listed of files) {
    const found = await findings.attempt(() => load([listed]))
    if (found === undefined) broken.push(listed)
    for (const [name, entry] of found ?? []) {
      const owner = owners.get(name)
      if (owner !== undefined) await findings.attempt(() => load([owner, listed]))
      else {
        owners.set(name, listed)
        loaded.set(name, entry)
      }
    }
  }
  return { loaded, broken }
}

/**
 * The prompts that were read, and any that a file which was not read may have: nobody can say that they are not there.
 */
class PromptsWithUnread extends Map<string, AnyPrompt> {
  readonly #unread: readonly string[]

  constructor(prompts: ReadonlyMap<string, AnyPrompt>, unread: readonly ListedFile[]) {
    super(prompts)
    this.#unread = unread.map(({ name }) => name)
  }

  override get(path: string): AnyPrompt | undefined {
    const known = super.get(path)
    return known ?? (this.#mayHave(path) ? definePrompt({ path, template: '' }) : undefined)
  }

  override has(path: string): boolean {
    return super.has(path) || this.#mayHave(path)
  }

  #mayHave(path: string): boolean {
    return this.#unread.some((name) => path === name || path.startsWith(`${name}/`))
  }
}
