import type { AnyPrompt } from './prompt.ts'
import type { TacticClass } from './tactic.ts'

/** A config as it stands in its file: parsed, bounded, its shape not judged yet. */
export interface ConfigSource {
  /** The path of its file in `configs/` without the extension: `summarizer`, `code_review/pro`. */
  readonly name: string
  readonly file: string
  readonly value: Readonly<Record<string, unknown>>
}

export interface TacticSource {
  readonly tactic: TacticClass
  readonly file: string
}

/** A file of a section that its author has named. It is read each time it is asked for. */
export interface Asset {
  /** The path in its section, with its extension: `logo.png`, `glossaries/en.txt`. */
  readonly path: string
  /** The absolute path on disk. */
  readonly file: string
  /** Rejects with an LllmError `unknown-asset` when the file is gone, or larger than 64 MiB. */
  bytes(): Promise<Uint8Array>
  /** As UTF-8. Rejects as `bytes`, and when it is none. */
  text(): Promise<string>
}

/** Everything that a package holds, read from disk. */
export interface Package {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly tactics: readonly TacticSource[]
  readonly configs: ReadonlyMap<string, ConfigSource>
  /** By path: `writer`, `code_review/reviewer`, `module/exportName`. */
  readonly prompts: ReadonlyMap<string, AnyPrompt>
  /** The sections that its author has named, by name: their files by path. */
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, Asset>>
  /** Where a bare name is looked for that the package does not have itself, in the order of its manifest. */
  readonly dependencies: readonly Package[]
  /** Every package that it can name: itself and all that are loaded by their names, its dependencies by its aliases too. */
  readonly reachable: ReadonlyMap<string, Package>
}

/** How a package came to be loaded. */
export type PackageOrigin = 'root' | 'dependency' | 'project' | 'user'

/** All packages of a runtime. */
export interface PackageSet {
  /** The one that is served. Bare names mean its own things first. */
  readonly root: Package
  /** Each once, in the order in which bare names of tactics go: the root, its dependencies, drop-ins of the project, of the user. */
  readonly all: readonly Package[]
  /** How each came to be loaded. Left out: the root, and what it depends on. */
  readonly origins?: ReadonlyMap<Package, PackageOrigin>
}

/** A package that stands alone, from what is known of it. */
export function makePackage(given: Pick<Package, 'name' | 'version'> & Partial<Package>): Package {
  const reachable = new Map<string, Package>()
  const source = {
    tactics: [],
    configs: new Map(),
    prompts: new Map(),
    sections: new Map(),
    dependencies: [],
    reachable,
    ...given,
  }
  reachable.set(source.name, source)
  return source
}
