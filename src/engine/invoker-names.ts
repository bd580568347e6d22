import type { Config } from '../domain/config.ts'
import { configMistake } from '../domain/config-bases.ts'

/**
 * A key belongs to the name of an invoker, so a name must not lead to one server in one package and to another in the next:
 * a package could otherwise have the key of somebody else's server sent to its own.
 *
 * @throws LllmError `invalid-config` that shows both places.
 */
export function refuseSharedInvokers(configs: readonly Config[]) {
  const owners = new Map<string, { readonly config: Config; readonly url: string }>()
  for (const config of configs) {
    for (const [name, { base_url: url }] of config.invokers) {
      const owner = owners.get(name)
      if (owner === undefined) owners.set(name, { config, url })
      if (owner === undefined || owner.config.home === config.home || owner.url === url) continue
      throw configMistake(
        config.file,
        `/invokers/${name}: ${owner.config.file} of the package "${owner.config.home.name}" has an invoker of this name at another base_url: rename one of them.`,
      )
    }
  }
}
