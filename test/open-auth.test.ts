import { expect, test } from 'vitest'
import { openAuth } from '../src/open-auth.ts'
import { createMemoryKeys } from '../src/stores/memory-keys.ts'

const clock = { now: () => 0, random: () => 0, sleep: () => new Promise<void>(() => {}) }
const issuer = { jwtIssuer: 'https://id.example.org/', jwtAudience: 'lllm', jwtTenantClaim: 'tenant' }

test('tokens of an issuer say themselves whose they are, and keys have to be looked up', async () => {
  const settings = { ...issuer, jwksUrl: 'https://id.example.org/jwks' }
  const authenticator = await openAuth(settings, createMemoryKeys(), clock)
  expect(authenticator.isSelfContained?.('eyJhbGciOiJFUzI1NiJ9.e30.AA')).toBe(true)
  expect(authenticator.isSelfContained?.('lllm_abcdefghijkm_secret')).toBe(false)
})

test('an issuer that is named by half stops the start', async () => {
  const opening = openAuth({ ...issuer, jwksUrl: undefined }, createMemoryKeys(), clock)
  await expect(opening).rejects.toMatchObject({ code: 'invalid-settings' })
})
