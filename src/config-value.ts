import { type Config, resolveConfig } from './domain/config.ts'
import { LllmError } from './domain/errors.ts'
import { findResource } from './domain/find-resource.ts'
import type { ConfigSource, Package } from './domain/package.ts'
import { configKind } from './domain/resource-kinds.ts'

/** A config as a plain value, in the shape of the YAML files. */
export type ConfigValue = Readonly<Record<string, unknown>>

/** The tactic that a config is for. @throws LllmError `invalid-config` where it does not say so. */
export function typeOf(config: ConfigValue): string {
  const type = config['tactic_type']
  if (typeof type === 'string') return type
  throw new LllmError(
    'invalid-config',
    'The config has no tactic_type, so the tactic must be given: build(tactic, config).',
  )
}

/** A config of another package is used as if it were based on here, so that its names mean what they mean there. */
export function configSource(source: Package, config: string | ConfigValue): ConfigSource {
  if (typeof config !== 'string') return { name: 'inline', file: 'the given config', value: config }
  const { home, value } = findConfig(source, config)
  return home === source ? value : { name: config, file: value.file, value: { base: config } }
}

function findConfig(source: Package, name: string) {
  const found = findResource(source, name, configKind)
  if (found.ok) return found
  throw new LllmError('unknown-config', found.message, { known: found.known })
}

/** A config of the package, or of those that it knows, with its bases merged in. @throws LllmError `unknown-config` */
export function resolveNamed(source: Package, name: string): Config {
  const { home, value } = findConfig(source, name)
  return resolveConfig(value, home)
}
