import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTokenAuthenticator } from '../../src/auth/token-authenticator.ts'

const issuer = 'https://id.example.org/'
const audience = 'https://lllm.example.org'

let pair: Awaited<ReturnType<typeof generateKeyPair>>
let stranger: typeof pair
let jwksUrl = ''
let isAway = false
const server = createServer(async (_request, response) => {
  if (isAway) return response.destroy()
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }))
})

beforeAll(async () => {
  pair = await generateKeyPair('ES256')
  stranger = await generateKeyPair('ES256')
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
})
afterAll(() => server.close())

const open = () => createTokenAuthenticator({ jwksUrl, issuer, audience, tenantClaim: 'org' })

function sign(
  claims: { readonly [claim: string]: unknown } = {},
  { key = pair.privateKey, kid = 'one', expires = '5m' } = {},
): Promise<string> {
  const payload: JWTPayload = {
    iss: issuer,
    aud: audience,
    sub: 'ada',
    org: 'acme',
    scope: 'sessions:read openid',
    ...claims,
  }
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).setExpirationTime(expires).sign(key)
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'unauthenticated', message: expect.stringMatching(message) })

describe('a token', () => {
  test('of the issuer tells its tenant, its subject, and those of its scopes that are ours', async () => {
    expect(await open().authenticate(await sign())).toEqual({
      tenant: 'acme',
      keyId: 'ada',
      scopes: ['sessions:read'],
      limits: {},
    })
    const many = await open().authenticate(await sign({ scope: undefined, scp: ['tactics:essay:call', 'admin'] }))
    expect(many.scopes).toEqual(['tactics:essay:call', 'admin'])
  })

  test.each([
    ['for somebody else', { aud: 'https://other.example.org' }, /"aud" does not fit/],
    ['of somebody else', { iss: 'https://evil.example.org/' }, /"iss" does not fit/],
    ['without a subject', { sub: undefined }, /"sub" does not fit/],
    ['without a tenant', { org: undefined }, /names no tenant/],
    ['with a tenant that is none', { org: '../acme' }, /names no tenant/],
  ])('%s is refused', async (_what, claims, message) => {
    await expect(open().authenticate(await sign(claims))).rejects.toEqual(refused(message))
  })

  test('that has expired is refused', async () => {
    await expect(open().authenticate(await sign({}, { expires: '-5m' }))).rejects.toEqual(refused(/expired/))
  })

  test('that was signed by a stranger, by nobody, or by a key that nobody knows is refused', async () => {
    const nobodys = [
      await sign({}, { key: stranger.privateKey }),
      await sign({}, { kid: 'two' }),
      `${btoa('{"alg":"none"}')}.${btoa('{"sub":"ada"}')}.`,
      await new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32)),
      'no.token.atall',
      'x',
    ]
    for (const token of nobodys) await expect(open().authenticate(token)).rejects.toEqual(refused(/nobody’s/))
  })

  test('cannot be judged while the issuer’s keys cannot be fetched, which is nobody’s fault who asks', async () => {
    isAway = true
    const answer = open().authenticate(await sign())
    await expect(answer).rejects.toMatchObject({ code: 'keys-unavailable' })
    isAway = false
  })
})
