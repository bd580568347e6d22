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

/** Everything that a package holds, read from disk but not yet linked. */
export interface Package {
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly tactics: readonly TacticSource[]
  readonly configs: ReadonlyMap<string, ConfigSource>
  /** By path: `writer`, `code_review/reviewer`, `module/exportName`. */
  readonly prompts: ReadonlyMap<string, AnyPrompt>
}
