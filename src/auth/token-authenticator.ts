import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Authenticator } from '../domain/authenticator.ts'
import { type Caller, isScope } from '../domain/caller.ts'
import { LllmError } from '../domain/errors.ts'
import { tenantPattern } from '../domain/tenant.ts'

/** Signed by somebody whose public key is known: a secret that both sides know is no such thing. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
/** Clocks of two machines may be as far apart. */
const clockToleranceSeconds = 30
const fetchMaxMs = 5_000
/** The issuer's keys are asked for again after this, and for a key that is unknown no more often than that. */
const keysKeptMs = 600_000
const cooldownMs = 30_000
const scopesMax = 100

export interface TokenRules {
  readonly jwksUrl: string
  readonly issuer: string
  readonly audience: string
  /** Which claim names the tenant. */
  readonly tenantClaim: string
}

const claims = z.object({ sub: z.string().min(1).max(255), exp: z.number() })
const tenantName = z.string().regex(tenantPattern)
const scopeText = z.union([z.string().transform((text) => text.split(' ')), z.array(z.string())])

/** Knows callers by the JSON Web Tokens (RFC 7519) of an issuer, whose public keys are at a URL (RFC 7517). Scopes are those of RFC 8693. */
export function createTokenAuthenticator(rules: TokenRules): Authenticator {
  const keys = createRemoteJWKSet(new URL(rules.jwksUrl), {
    timeoutDuration: fetchMaxMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: keysKeptMs,
  })
  const { issuer, audience } = rules
  return {
    isOpen: async () => false,
    async authenticate(credential) {
      try {
        const { payload } = await jwtVerify(credential, keys, {
          algorithms,
          issuer,
          audience,
          clockTolerance: clockToleranceSeconds,
          requiredClaims: ['sub', 'exp'],
        })
        return toCaller(payload, rules.tenantClaim)
      } catch (cause) {
        throw toRefusal(cause)
      }
    },
  }
}

function toCaller(payload: JWTPayload, tenantClaim: string): Caller {
  const { sub } = claims.parse(payload)
  const tenant = tenantName.safeParse(payload[tenantClaim])
  if (!tenant.success) {
    throw new LllmError(
      'unauthenticated',
      `The token names no tenant: its claim "${tenantClaim}" is missing or no name.`,
    )
  }
  const scopes = scopeText.safeParse(payload['scope'] ?? payload['scp'])
  // What is no scope of this service may be one of another.
  const known = scopes.success ? scopes.data.filter(isScope).slice(0, scopesMax) : []
  return { tenant: tenant.data, keyId: sub, scopes: known, limits: {} }
}

/** What is wrong with a token is told to whoever has it, in words of our own. */
function toRefusal(cause: unknown): LllmError {
  if (cause instanceof LllmError) return cause
  if (cause instanceof errors.JWTExpired) return refusal('The token has expired.', cause)
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return refusal(`The token is not for this service: its claim "${cause.claim}" does not fit.`, cause)
  }
  const isAboutToken =
    cause instanceof errors.JWSInvalid ||
    cause instanceof errors.JWTInvalid ||
    cause instanceof errors.JWSSignatureVerificationFailed ||
    cause instanceof errors.JOSEAlgNotAllowed ||
    cause instanceof errors.JOSENotSupported ||
    cause instanceof errors.JWKSNoMatchingKey ||
    cause instanceof errors.JWKSMultipleMatchingKeys ||
    cause instanceof z.ZodError
  if (isAboutToken) return refusal('The token is nobody’s.', cause)
  return new LllmError('keys-unavailable', 'The issuer’s keys cannot be fetched now.', {}, { cause })
}

function refusal(message: string, cause: unknown): LllmError {
  return new LllmError('unauthenticated', message, {}, { cause })
}
