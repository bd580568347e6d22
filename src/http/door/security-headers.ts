import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import type { DoorSettings } from './door-settings.ts'

const hstsMaxAgeSeconds = 31_536_000

/** An answer of the service is data, or a page without scripts and styles: nothing is to be loaded for it, by nobody framed. */
const nothing = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
}

const headers = {
  contentSecurityPolicy: nothing,
  referrerPolicy: { policy: 'no-referrer' },
  xContentTypeOptions: true,
  xFrameOptions: { action: 'deny' },
  crossOriginOpenerPolicy: { policy: 'same-origin' },
  crossOriginResourcePolicy: { policy: 'same-origin' },
  // These are for browsers that are gone, and for what the answers of the service are not.
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} satisfies FastifyHelmetOptions

/** Tells browsers what not to do with answers. TLS ends elsewhere, so that only whoever sets it up knows whether `hsts` is right. */
export async function addSecurityHeaders(
  server: FastifyInstance,
  { securityHeaders = 'off' }: DoorSettings,
): Promise<void> {
  if (securityHeaders === 'off') return
  const strictTransportSecurity = securityHeaders === 'hsts' ? { maxAge: hstsMaxAgeSeconds } : false
  await server.register(helmet, { ...headers, strictTransportSecurity })
}
