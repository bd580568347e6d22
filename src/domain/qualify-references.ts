import { findResource, type ResourceKind } from './find-resource.ts'
import { isTree, type Tree } from './json.ts'
import type { Package } from './package.ts'
import { configKind, promptKind } from './resource-kinds.ts'

/**
 * A config's value with the names of prompts and configs in full, for use in another package. Its `tactic_type` is about its
 * own package, and is left out.
 */
export function qualifyReferences(value: Tree, home: Package): Record<string, unknown> {
  const { tactic_type: _, ...rest } = value
  return {
    ...rest,
    ...(isTree(rest['global']) ? { global: qualifyPrompt(rest['global'], home) } : {}),
    ...(Array.isArray(rest['agent_configs'])
      ? { agent_configs: rest['agent_configs'].map((agent) => (isTree(agent) ? qualifyPrompt(agent, home) : agent)) }
      : {}),
    ...(isTree(rest['sub_tactics']) ? { sub_tactics: qualifyConfigs(rest['sub_tactics'], home) } : {}),
  }
}

function qualifyPrompt(agent: Tree, home: Package): Tree {
  const path = agent['system_prompt_path']
  return typeof path === 'string' ? { ...agent, system_prompt_path: inFull(path, home, promptKind) } : agent
}

/** `default` and other short names mean a config of the sub-tactic itself, wherever they are said. */
function qualifyConfigs(subTactics: Tree, home: Package): Tree {
  const entries = Object.entries(subTactics).map(([key, config]) => {
    const isShort = typeof config !== 'string' || config === 'default'
    return [key, isShort ? config : inFull(config, home, configKind)]
  })
  return Object.fromEntries(entries)
}

/** What is not found stays as it is: whoever resolves it tells of the mistake. */
function inFull<Value>(text: string, home: Package, kind: ResourceKind<Value>): string {
  const found = findResource(home, text, kind)
  return found.ok ? `${found.home.name}.${kind.section}:${found.path}` : text
}
