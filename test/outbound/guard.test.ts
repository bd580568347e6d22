import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { Agent, request } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readAllowList } from '../../src/outbound/allow-list.ts'
import { guardedConnector } from '../../src/outbound/guarded-connector.ts'
import { createGuardedFetch } from '../../src/outbound/guarded-fetch.ts'
import { isAddressRefused } from '../../src/outbound/guarded-lookup.ts'
import { judgeAddress, type OutboundReach, type OutboundRules } from '../../src/outbound/judge-address.ts'

function rulesOf(reach: OutboundReach, ...entries: readonly string[]): OutboundRules {
  const allowed = readAllowList(entries)
  if (allowed === undefined) throw new Error(`Not readable: ${entries.join()}`)
  return { reach, allowed }
}

async function serve(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  return (server.address() as AddressInfo).port
}

describe('what may be reached', () => {
  const privately = 'must lead to a public address, not to one of a private network or of this host'
  test.each<[string, OutboundReach, readonly string[], string | undefined]>([
    ['https://example.org/', 'public', [], undefined],
    ['http://example.org/', 'public', [], 'must be an https URL'],
    ['https://10.1.2.3/', 'public', [], privately],
    ['https://localhost/', 'public', [], privately],
    ['http://127.0.0.1:8080/', 'loopback', [], undefined],
    ['http://localhost:8080/', 'loopback', [], undefined],
    ['http://[::1]:8080/', 'loopback', [], undefined],
    ['http://10.1.2.3/', 'loopback', [], 'must be an https URL'],
    ['https://10.1.2.3/', 'loopback', [], privately],
    ['https://169.254.169.254/', 'loopback', [], privately],
    ['http://mcp.internal/', 'loopback', [], 'must be an https URL'],
    ['http://10.1.2.3/', 'public', ['10.0.0.0/8'], undefined],
    ['http://11.1.2.3/', 'public', ['10.0.0.0/8'], 'must be an https URL'],
    ['http://[fd00::1]/', 'public', ['fd00::/8'], undefined],
    ['http://[fd00::1]:81/', 'public', ['[fd00::1]:81'], undefined],
    ['http://10.1.2.3:8080/', 'public', ['10.1.2.3'], undefined],
    ['http://MCP.internal.:8080/', 'public', ['mcp.INTERNAL:8080'], undefined],
    ['http://mcp.internal:81/', 'public', ['mcp.internal:8080'], 'must be an https URL'],
    ['http://mcp.internal:81/', 'public', ['mcp.internal'], undefined],
    ['http://evil-mcp.internal/', 'public', ['mcp.internal'], 'must be an https URL'],
    ['http://10.1.2.3/', 'anywhere', [], undefined],
    ['file:///etc/passwd', 'anywhere', [], 'must be an http or https URL'],
    ['ftp://mcp.internal/', 'public', ['mcp.internal'], 'must be an https URL'],
  ])('%s, with the reach %s and %j: %s', (url, reach, entries, refusal) => {
    expect(judgeAddress(new URL(url), rulesOf(reach, ...entries))).toBe(refusal)
  })

  test.each([
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/8/8',
    '/8',
    'http://host/',
    'host:0',
    'host:65536',
    'a b',
    '*.host',
    '0.0.0.0/0',
    '::/0',
  ])('cannot be told by %s', (entry) => {
    expect(readAllowList([entry])).toBeUndefined()
  })
})

describe('a connection', () => {
  const toLoopback: LookupFunction = (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }])

  async function ask(url: string, rules: OutboundRules) {
    const agent = new Agent({ connect: guardedConnector(rules, { timeoutMs: 5_000, lookup: toLoopback }) })
    onTestFinished(() => agent.destroy())
    const { statusCode, body } = await request(url, { dispatcher: agent })
    await body.dump()
    return statusCode
  }

  test('is not made to a name that leads to this host, as the rebinding of a public name does', async () => {
    const refused = await ask('https://example.org/', rulesOf('public')).catch((error: unknown) => error)
    expect(isAddressRefused(refused)).toBe(true)
    expect(isAddressRefused(await ask('https://example.org/', rulesOf('loopback')).catch((error) => error))).toBe(true)
  })

  test('is made to a name that the operator allows, wherever it leads, and to names within networks that are allowed', async () => {
    const port = await serve((_request, response) => response.end('fine'))
    expect(await ask(`http://mcp.internal:${port}/`, rulesOf('public', `mcp.internal:${port}`))).toBe(200)
    expect(await ask(`http://127.0.0.1:${port}/`, rulesOf('public', '127.0.0.0/8'))).toBe(200)
    const refused = await ask(`http://127.0.0.1:${port}/`, rulesOf('public')).catch((error: unknown) => error)
    expect(isAddressRefused(refused)).toBe(true)
  })
})

describe('a redirect', () => {
  const options = { connections: 4, connectTimeoutMs: 5_000, answerMaxMs: 5_000 }
  function open(...entries: readonly string[]) {
    const guarded = createGuardedFetch(rulesOf('loopback', ...entries), options)
    onTestFinished(() => guarded.close())
    return guarded.fetch
  }

  test('is followed within its origin, with the method and the body', async () => {
    const port = await serve((asked, response) => {
      if (asked.url === '/mcp') return void response.writeHead(307, { location: '/mcp/' }).end()
      asked.pipe(response.writeHead(200, { method: asked.method ?? '', key: String(asked.headers['x-key']) }))
    })
    const init = { method: 'POST', body: 'hello', headers: { 'x-key': 'secret' } }
    const answer = await open()(`http://127.0.0.1:${port}/mcp`, init)
    expect(await answer.text()).toBe('hello')
    expect(answer.headers.get('method')).toBe('POST')
    expect(answer.headers.get('key')).toBe('secret')
  })

  test('to another host is not followed, so that no header gets there', async () => {
    const seen: (string | undefined)[] = []
    const other = await serve((asked, response) => {
      seen.push(asked.url)
      response.end()
    })
    const port = await serve((_asked, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${other}/taken` }).end()
    })
    await expect(open()(`http://127.0.0.1:${port}/`)).rejects.toThrow('redirect to another host')
    expect(seen).toEqual([])
  })

  test('that leads on and on is given up', async () => {
    let count = 0
    const port = await serve((_asked, response) => {
      count += 1
      response.writeHead(307, { location: `/${count}` }).end()
    })
    await expect(open()(`http://127.0.0.1:${port}/`)).rejects.toThrow('more than 3 redirects')
    expect(count).toBe(4)
  })
})
