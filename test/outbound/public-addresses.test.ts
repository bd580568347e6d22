import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { describe, expect, test } from 'vitest'
import { emptyAllowList } from '../../src/outbound/allow-list.ts'
import { guardedLookup } from '../../src/outbound/guarded-lookup.ts'
import { isPublicAddress } from '../../src/outbound/public-addresses.ts'
import { judgeWebhookUrl } from '../../src/webhooks/judge-url.ts'

const closed = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
]
const open = ['1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.1', '172.32.0.1', '192.167.0.1', '2606:4700::1111']

test.each(closed)('%j is no public address', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})

test.each(open)('%s is a public address', (address) => {
  expect(isPublicAddress(address)).toBe(true)
})

describe('the URL of a webhook', () => {
  const rules = { secrets: ['whsec_x'], allowPrivate: false, allowed: emptyAllowList }

  test.each([
    'https://example.org/hook?a=1',
    'https://example.org:8443/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ])('may be %s', (url) => {
    expect(judgeWebhookUrl(url, rules)).toBeUndefined()
  })

  test.each([
    ['http://example.org/', 'must be an https URL'],
    ['ftp://example.org/', 'must be an https URL'],
    ['nothing', 'must be a URL of at most 2048 characters'],
    [`https://example.org/${'x'.repeat(2_048)}`, 'must be a URL of at most 2048 characters'],
    ['https://user:secret@example.org/', 'without a user and a password'],
    ['https://localhost/', 'must lead to a public address'],
    ['https://LOCALHOST./', 'must lead to a public address'],
    ['https://app.localhost/', 'must lead to a public address'],
    ['https://127.0.0.1/', 'must lead to a public address'],
    ['https://127.1/', 'must lead to a public address'],
    ['https://2130706433/', 'must lead to a public address'],
    ['https://0x7f.0.0.1/', 'must lead to a public address'],
    ['https://0177.0.0.1/', 'must lead to a public address'],
    ['https://127.0.0.1./', 'must lead to a public address'],
    ['https://①②⑦.0.0.1/', 'must lead to a public address'],
    ['https://[::1]/', 'must lead to a public address'],
    ['https://[::ffff:10.0.0.1]/', 'must lead to a public address'],
    ['https://169.254.169.254/latest/meta-data/', 'must lead to a public address'],
  ])('may not be %s', (url, message) => {
    expect(judgeWebhookUrl(url, rules)).toContain(message)
  })

  test('may be of a private network, and plain http, where the operator says so', () => {
    const loose = { ...rules, allowPrivate: true }
    expect(judgeWebhookUrl('http://10.0.0.1:3000/hook', loose)).toBeUndefined()
    expect(judgeWebhookUrl('ftp://10.0.0.1/', loose)).toBe('must be an http or https URL')
  })

  test('is of no use where nothing is signed', () => {
    expect(judgeWebhookUrl('https://example.org/', { ...rules, secrets: [] })).toContain('LLLM_WEBHOOK_SECRETS')
  })
})

describe('a name that is looked up for a connection', () => {
  const leadingTo =
    (...addresses: readonly string[]): LookupFunction =>
    (_name, _options, done) => {
      const found = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
      done(null, found)
    }
  const look = (resolve: LookupFunction, all: boolean) =>
    new Promise((answer) => {
      guardedLookup(resolve)('example.org', { all }, (error, address) => answer(error ?? address))
    })

  test('is taken for the addresses that were judged', async () => {
    expect(await look(leadingTo('8.8.8.8', '2606:4700::1111'), true)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ])
    expect(await look(leadingTo('8.8.8.8'), false)).toBe('8.8.8.8')
  })

  test.each([[['127.0.0.1']], [['8.8.8.8', '10.0.0.1']], [['::ffff:127.0.0.1']], [[]]])(
    'is refused when it leads to %j',
    async (addresses) => {
      expect(await look(leadingTo(...addresses), true)).toMatchObject({ code: 'ERR_ADDRESS_REFUSED' })
    },
  )
})
