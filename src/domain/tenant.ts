/**
 * Whose a session, a run, a batch of runs, a budget or an idempotency key is. Nobody sees, changes or pays what is another tenant's.
 * Whoever calls without a key, from one's own code or from the command line, is this one: the operator's own.
 */
export const defaultTenant = 'default'

/** The tenant as traces and webhooks tell it: the operator's own is not worth telling. */
export function toldTenant(tenant: string | undefined): string | undefined {
  return tenant === defaultTenant ? undefined : tenant
}

/** What the name of a tenant may be. */
export const tenantPattern = /^[a-z0-9][a-z0-9_-]{0,63}$/
