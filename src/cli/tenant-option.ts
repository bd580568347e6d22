import { LllmError } from '../domain/errors.ts'
import { defaultTenant, tenantPattern } from '../domain/tenant.ts'

/** The tenant that `--tenant` names; left out, it is the default one. @throws LllmError `invalid-parameter` */
export function readTenant(given = defaultTenant): string {
  if (tenantPattern.test(given)) return given
  throw new LllmError(
    'invalid-parameter',
    '--tenant must be 1 to 64 small letters, digits, _ and -, beginning with a letter or a digit.',
  )
}
