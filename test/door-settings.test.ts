import { describe, expect, test } from 'vitest'
import { readSettings } from '../src/settings.ts'

describe('at the door', () => {
  test.each([
    ['LLLM_TRUST_PROXY', 'loopback', { trustProxy: 'loopback' }],
    ['LLLM_TRUST_PROXY', '10.0.0.0/8, 2001:db8::/32 ,192.0.2.1', { trustProxy: '10.0.0.0/8,2001:db8::/32,192.0.2.1' }],
    ['LLLM_CORS_ORIGINS', '*', { corsOrigins: ['*'] }],
    [
      'LLLM_CORS_ORIGINS',
      'https://a.example, http://localhost:5173',
      { corsOrigins: ['https://a.example', 'http://localhost:5173'] },
    ],
    [
      'LLLM_ALLOWED_HOSTS',
      'LLLM.internal., 10.0.0.7,2001:DB8:0:0::1, [0::2]',
      { allowedHosts: ['lllm.internal', '10.0.0.7', '[2001:db8::1]', '[::2]'] },
    ],
    ['LLLM_CONNECTIONS_PER_ADDRESS', '10', { connectionsPerAddress: 10 }],
    ['LLLM_SECURITY_HEADERS', 'hsts', { securityHeaders: 'hsts' }],
    ['LLLM_LOOP_DELAY_MAX_MS', '0', { loopDelayMaxMs: 0 }],
    ['LLLM_RATE_PER_ADDRESS', '600', { ratePerAddress: 600 }],
  ])('%s may be %j', (variable, value, expected) => {
    expect(readSettings({ [variable]: value })).toMatchObject(expected)
  })

  test.each([
    // Everybody, in one way or another.
    ['LLLM_TRUST_PROXY', '1'],
    ['LLLM_TRUST_PROXY', 'true'],
    ['LLLM_TRUST_PROXY', '0.0.0.0/0'],
    ['LLLM_TRUST_PROXY', '10.0.0.0/33'],
    ['LLLM_TRUST_PROXY', 'proxy.internal'],
    ['LLLM_TRUST_PROXY', '10.0.0.1,'],
    ['LLLM_CORS_ORIGINS', '*,https://a.example'],
    ['LLLM_CORS_ORIGINS', 'a.example'],
    ['LLLM_CORS_ORIGINS', 'https://a.example/'],
    ['LLLM_CORS_ORIGINS', 'https://*.example'],
    ['LLLM_CORS_ORIGINS', 'null'],
    // With a port, a scheme or a pattern, one of them empty, or all.
    ['LLLM_ALLOWED_HOSTS', 'lllm.internal:8080'],
    ['LLLM_ALLOWED_HOSTS', 'https://lllm.internal'],
    ['LLLM_ALLOWED_HOSTS', '*.internal'],
    ['LLLM_ALLOWED_HOSTS', '*'],
    ['LLLM_ALLOWED_HOSTS', 'a,'],
    ['LLLM_CONNECTIONS_PER_ADDRESS', '0'],
    ['LLLM_SECURITY_HEADERS', 'yes'],
    ['LLLM_RATE_PER_ADDRESS', '0'],
    ['LLLM_CONNECTIONS_MAX', '0'],
  ])('%s may not be %j', (variable, value) => {
    expect(() => readSettings({ [variable]: value })).toThrow(variable)
  })
})
