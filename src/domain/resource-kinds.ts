import type { ResourceKind } from './find-resource.ts'
import type { ConfigSource } from './package.ts'
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
