import type { Authenticator } from './domain/authenticator.ts'
import type { Settings } from './settings.ts'

const loopback = '127.0.0.1'
const loopbackHosts: ReadonlySet<string> = new Set([loopback, 'localhost', '::1'])

/** Where a service listens, and what the log says of who may call it. */
export interface Listening {
  readonly host: string
  readonly access: { readonly level: 'info' | 'warn'; readonly message: string }
}

/**
 * A service that answers everybody is for this machine alone, unless its operator says plainly that it is for all who reach it. Once there
 * is a key, it asks for keys, and listens where it is told to.
 */
export async function chooseListening(
  { host, open }: Pick<Settings, 'host' | 'open'>,
  authenticator: Authenticator,
): Promise<Listening> {
  if (!(await authenticator.isOpen())) {
    return { host, access: { level: 'info', message: 'Callers need a key.' } }
  }
  if (open) {
    const message = 'There is no key: everybody who reaches this service may call it, as LLLM_OPEN says.'
    return { host, access: { level: 'warn', message } }
  }
  if (loopbackHosts.has(host)) {
    return { host, access: { level: 'info', message: 'There is no key: everybody on this machine may call.' } }
  }
  const message = `There is no key, so the service listens on ${loopback} only, and not on ${host}. Make a key with "lllm keys create" and start again, or set LLLM_OPEN=true if everybody who reaches it may call it.`
  return { host: loopback, access: { level: 'warn', message } }
}
