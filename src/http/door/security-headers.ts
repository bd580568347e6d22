import type { FastifyInstance } from 'fastify'
import type { DoorSettings } from './door-settings.ts'

/**
 * An answer of the service is data, or a page without scripts and styles: nothing is to be loaded for it, nobody may frame it, and no other
 * page may take it for something else. The pages at /docs have a policy of their own.
 */
const headers = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

/** For a year. */
const hsts = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } as const

/**
 * Tells browsers what not to do with answers. TLS ends elsewhere, so that only whoever sets it up knows whether `hsts` is right.
 *
 * Not by @fastify/helmet, which makes the same few constants anew for each request: that costs a simple one an eighth of its time.
 */
export function addSecurityHeaders(server: FastifyInstance, { securityHeaders = 'off' }: DoorSettings): void {
  if (securityHeaders === 'off') return
  const all = securityHeaders === 'hsts' ? { ...headers, ...hsts } : headers
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(all)
    done()
  })
}
