import { createKeyAuthenticator } from './auth/key-authenticator.ts'
import type { KeyStore } from './domain/api-key.ts'
import type { Authenticator, KeyJudge } from './domain/authenticator.ts'
import type { Clock } from './domain/clock.ts'
import { LllmError } from './domain/errors.ts'
import type { Settings } from './settings.ts'

/** Who asks, and what became of keys. */
export type Auth = Authenticator & KeyJudge

type AuthSettings = Pick<Settings, 'jwksUrl' | 'jwtIssuer' | 'jwtAudience' | 'jwtTenantClaim'>

/**
 * Puts together what finds out who asks: the keys of the store, and the tokens of an issuer where the settings name one.
 *
 * @throws LllmError `invalid-settings` when an issuer is named by half.
 */
export async function openAuth(settings: AuthSettings, keys: KeyStore, clock: Clock): Promise<Auth> {
  const byKey = createKeyAuthenticator(keys, clock)
  // While the store does not answer, each is found by itself later.
  await byKey.rememberAll().catch(() => {})
  const { jwksUrl, jwtIssuer: issuer, jwtAudience: audience, jwtTenantClaim: tenantClaim } = settings
  if (jwksUrl === undefined && issuer === undefined && audience === undefined) return byKey
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) {
    throw new LllmError(
      'invalid-settings',
      'Tokens need LLLM_JWKS_URL, LLLM_JWT_ISSUER and LLLM_JWT_AUDIENCE: a token that is not asked for whom it is could be one for somebody else.',
    )
  }
  const { createTokenAuthenticator } = await import('./auth/token-authenticator.ts')
  const byToken = createTokenAuthenticator({ jwksUrl, issuer, audience, tenantClaim })
  const isToken = (credential: string) => !credential.startsWith('lllm_')
  return {
    isOpen: async () => false,
    authenticate: (credential) => (isToken(credential) ? byToken : byKey).authenticate(credential),
    isSelfContained: isToken,
    isAtHand: (credential) => !isToken(credential) && byKey.isAtHand(credential),
    refusalOf: (keyId) => byKey.refusalOf(keyId),
  }
}
