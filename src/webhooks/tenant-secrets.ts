import { createHmac } from 'node:crypto'
import { defaultTenant } from '../domain/tenant.ts'

const prefix = 'whsec_'

/**
 * With what the webhooks of a tenant are signed, the newest secret first. Those of the settings are the default tenant's. Each other tenant
 * has for each of them one of its own, from which nobody can tell another one: its key is the HMAC-SHA256 of the tenant's name by the
 * key of the setting. What is signed for the default tenant is never such a name: it has dots.
 */
export function tenantSecrets(tenant: string, secrets: readonly string[]): readonly string[] {
  if (tenant === defaultTenant) return secrets
  return secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64')
    return prefix + createHmac('sha256', key).update(tenant).digest('base64')
  })
}
