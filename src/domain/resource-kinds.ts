import type { ResourceKind } from './find-resource.ts'
import type { ConfigSource, TacticSource } from './package.ts'
import type { AnyPrompt } from './prompt.ts'

export const configKind: ResourceKind<ConfigSource> = {
  section: 'configs',
  noun: 'config',
  inPackage: ({ configs }) => configs,
}

export const promptKind: ResourceKind<AnyPrompt> = {
  section: 'prompts',
  noun: 'prompt',
  inPackage: ({ prompts }) => prompts,
}

export const tacticKind: ResourceKind<TacticSource> = {
  section: 'tactics',
  noun: 'tactic',
  inPackage: ({ tactics }) => new Map(tactics.map((source) => [source.tactic.spec.name ?? '', source])),
}
