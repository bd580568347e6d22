import type { RemoteTactics } from './domain/remote.ts'
import { operatorRules } from './outbound-rules.ts'
import { invokerKey, type Settings } from './settings.ts'

/** Remote tactics whose HTTP client is loaded with the first call: few projects have any, and it takes 5 MB. */
export function lazyRemotes(settings: Settings): RemoteTactics {
  let opening: Promise<RemoteTactics> | undefined

  async function open(): Promise<RemoteTactics> {
    const { createRemoteTactics } = await import('./remote/create-remote-tactics.ts')
    return createRemoteTactics({ keyOf: (name) => invokerKey(settings, name), rules: operatorRules(settings) })
  }

  return {
    async call(request) {
      opening ??= open()
      return (await opening).call(request)
    },
    async close() {
      await (await opening)?.close()
    },
  }
}
