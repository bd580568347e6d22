import type { Authenticator } from './domain/authenticator.ts'
import { LllmError } from './domain/errors.ts'
import type { Settings } from './settings.ts'

/**
 * Looks whether every web page may use a service that knows no key. Resolves to what is to be warned of, if anything.
 *
 * Rejects with an LllmError `invalid-settings` unless the operator says plainly that the service is for all who reach it: a page reaches
 * whatever the machine reaches on which somebody looks at it.
 */
export async function judgePageAccess(
  { open, corsOrigins }: Pick<Settings, 'open' | 'corsOrigins'>,
  authenticator: Authenticator,
): Promise<string | undefined> {
  if (corsOrigins?.includes('*') !== true || !(await authenticator.isOpen())) return undefined
  if (open) {
    return 'There is no key, and LLLM_CORS_ORIGINS is *: every web page that is opened where this service can be reached may call it.'
  }
  throw new LllmError(
    'invalid-settings',
    'LLLM_CORS_ORIGINS is *, and there is no key: every web page that is opened on this machine could call this service, and read all that it has. Name the origins of your pages, make a key with "lllm keys create", or set LLLM_OPEN=true.',
  )
}
