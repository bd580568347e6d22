import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { toolName } from '../../src/domain/tool.ts'
import { createMcpToolSource } from '../../src/mcp/mcp-tool-source.ts'
import {
  call,
  httpServer,
  isAlive,
  onLoopback,
  openSource,
  patience,
  rudeServer,
  stdioServer,
  watchedServer,
} from './mcp-support.ts'

const transports = [
  { transport: 'stdio', open: async () => openSource(stdioServer()) },
  { transport: 'streamable HTTP', open: async () => openSource({ url: (await httpServer()).url }) },
]

async function urlOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe.each(transports)('an MCP server over $transport', ({ open }) => {
  test('offers its tools under its own name, with the schemas as it gives them', async () => {
    const source = await open()
    const [add] = await source.tools('demo', patience)
    expect(add).toMatchObject({
      name: 'demo__add',
      description: 'Adds two numbers.',
      parameters: {
        type: 'object',
        properties: { a: { type: 'number' }, b: { type: 'number' } },
        required: ['a', 'b'],
      },
    })
  })

  test('lists its tools once, until it says that they have changed', async () => {
    const source = await open()
    const first = await source.tools('demo', patience)
    expect(await source.tools('demo', patience)).toBe(first)
    await call(source, 'grow')
    await vi.waitFor(async () => expect(await call(source, 'grown')).toBe('I am new.'))
  })

  test('runs a tool and gives its text', async () => {
    expect(await call(await open(), 'add', { a: 2, b: 40 })).toBe('42')
  })

  test('tells what is no text in words, so that a model knows of it', async () => {
    expect(await call(await open(), 'show')).toBe(
      'Look:\n[image: image/png]\n[resource: notes, file:///notes.txt]\n[resource: file:///a.txt]\nWhat a.txt says.',
    )
  })

  test('has a failed tool throw what the server says of it, for the model', async () => {
    const source = await open()
    await expect(call(source, 'fail')).rejects.toThrow('The disk is full.')
    await expect(call(source, 'add', { a: 'two' })).rejects.toThrow(/a: .*expected number/i)
    await expect(call(source, 'add', [1, 2])).rejects.toThrow('The arguments must be a JSON object.')
  })

  test('is told when a call is aborted, and answers the next one', async () => {
    const source = await open()
    await source.tools('demo', patience)
    const stop = new AbortController()
    const waiting = call(source, 'wait', {}, stop.signal)
    const reason = new Error('The client went away.')
    await vi.waitFor(async () => expect(await call(source, 'count_waits')).toBe('{"running":1,"cancelled":0}'))
    stop.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await vi.waitFor(async () => expect(await call(source, 'count_waits')).toBe('{"running":0,"cancelled":1}'))
  })

  test('has one connection for all calls, also when they are the first ones', async () => {
    const source = await open()
    const lists = await Promise.all(Array.from({ length: 8 }, () => source.tools('demo', patience)))
    expect(new Set(lists).size).toBe(1)
    const pids = await Promise.all(Array.from({ length: 8 }, () => call(source, 'pid')))
    expect(new Set(pids).size).toBe(1)
  })

  test('is not used any more after close', async () => {
    const source = await open()
    await source.tools('demo', patience)
    await source.close()
    await expect(source.tools('demo', patience)).rejects.toMatchObject({ code: 'draining' })
  })
})

describe('a server that is a child process', () => {
  test('that died is started again on the next use, also by a tool that was handed out before', async () => {
    const source = openSource(stdioServer())
    const tools = await source.tools('demo', patience)
    const pid = tools.find(({ name }) => name === 'demo__pid')
    const before = await pid?.run({}, { signal: patience, idempotencyKey: 'key' })
    await expect(call(source, 'die')).rejects.toMatchObject({ code: 'provider-failed' })
    const after = await pid?.run({}, { signal: patience, idempotencyKey: 'key' })
    expect(after).not.toBe(before)
    expect(isAlive(Number(before))).toBe(false)
  })

  test('ends with close', async () => {
    const source = openSource(stdioServer())
    const pid = Number(await call(source, 'pid'))
    expect(isAlive(pid)).toBe(true)
    await source.close()
    expect(isAlive(pid)).toBe(false)
  })

  test('that cannot be started is a failure of the provider, and is tried again on the next use', async () => {
    const source = openSource({ command: '/nowhere/server' })
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(source.tools('demo', patience)).rejects.toMatchObject({
        code: 'provider-failed',
        message: 'The MCP server "demo" cannot be reached, or does not keep to the protocol.',
      })
    }
  })

  test('that exits at once is a failure of the provider', async () => {
    const source = openSource(rudeServer('exits'))
    await expect(source.tools('demo', patience)).rejects.toMatchObject({ code: 'provider-failed' })
  })

  test('that says nothing holds up neither an aborted call nor close', async () => {
    const { settings, pid } = watchedServer('silent')
    const source = openSource(settings)
    const stop = new AbortController()
    const aborted = expect(source.tools('demo', stop.signal)).rejects.toThrow('Enough.')
    const others = expect(source.tools('demo', patience)).rejects.toMatchObject({ code: 'draining' })
    const child = await pid()
    stop.abort(new Error('Enough.'))
    await aborted
    await source.close()
    await others
    expect(isAlive(child)).toBe(false)
  })

  test('that says nothing for 10 seconds is a failure of the provider, and ended', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { settings, pid } = watchedServer('silent')
    const failed = expect(openSource(settings).tools('demo', patience)).rejects.toMatchObject({
      code: 'provider-failed',
    })
    const child = await pid()
    await vi.advanceTimersByTimeAsync(10_000)
    await failed
    expect(isAlive(child)).toBe(false)
  })

  test('that does not end by itself is ended', async () => {
    const { settings, pid } = watchedServer('stubborn')
    const source = openSource(settings)
    await source.tools('demo', patience)
    await source.close()
    expect(isAlive(await pid())).toBe(false)
  })

  test('that writes other things between its messages is understood', async () => {
    const source = openSource(rudeServer('garbled'))
    expect(await source.tools('demo', patience)).not.toHaveLength(0)
  })

  test('that writes a message without end is given up', async () => {
    const source = openSource(rudeServer('floods'))
    await expect(call(source, 'read_file')).rejects.toMatchObject({ code: 'provider-failed' })
  })
})

describe('what a hostile server offers', () => {
  test('gets names that fit, told apart where they would be the same; no tool without an object schema of usual size', async () => {
    const source = openSource(rudeServer('odd'))
    const tools = await source.tools('demo', patience)
    expect(tools.map(({ name }) => name)).toEqual(['demo__read_file', 'demo__read_file_2', `demo__${'l'.repeat(58)}`])
    for (const { name, description } of tools) {
      expect(name).toMatch(toolName)
      expect(description.length).toBeLessThanOrEqual(4_096)
    }
  })

  test('is called by the name that the server gave', async () => {
    const source = openSource(rudeServer('odd'))
    expect(await call(source, 'read_file_2')).toMatch(/^read\.file y/)
  })

  test('is cut off where a result is too long for a model', async () => {
    const source = openSource(rudeServer('odd'))
    const result = String(await call(source, 'read_file'))
    expect(result).toHaveLength(200_000 + '\n[cut off]'.length)
    expect(result).toMatch(/\n\[cut off\]$/)
  })

  test('ends at 500 tools, however many pages there are', async () => {
    const source = openSource(rudeServer('offers-without-end'))
    expect(await source.tools('demo', patience)).toHaveLength(500)
  })
})

describe('a server at a URL', () => {
  test('is sent the headers of the settings', async () => {
    const server = await httpServer()
    const source = openSource({ url: server.url, headers: { authorization: 'Bearer key' } })
    await call(source, 'pid')
    expect([...server.seenAuthorizations]).toEqual(['Bearer key'])
  })

  test('that was started anew, and knows our session no more, is given the call in a new one', async () => {
    const server = await httpServer()
    const source = openSource({ url: server.url })
    await source.tools('demo', patience)
    server.forgetSessions()
    expect(await call(source, 'add', { a: 1, b: 1 })).toBe('2')
  })

  test('that cuts the connection under a call fails it at once, and is reached again on the next use', async () => {
    const server = await httpServer()
    const source = openSource({ url: server.url })
    await source.tools('demo', patience)
    const waiting = expect(call(source, 'wait')).rejects.toMatchObject({ code: 'provider-failed' })
    await vi.waitFor(() => expect(server.openReplies('POST')).toBe(1))
    server.cutConnections()
    await waiting
    expect(await call(source, 'add', { a: 1, b: 1 })).toBe('2')
  })

  test('keeps no reply open for an aborted call', async () => {
    const server = await httpServer()
    const source = openSource({ url: server.url })
    await source.tools('demo', patience)
    const stop = new AbortController()
    const waiting = call(source, 'wait', {}, stop.signal)
    await vi.waitFor(() => expect(server.openReplies('POST')).toBe(1))
    stop.abort(new Error('Enough.'))
    await expect(waiting).rejects.toThrow('Enough.')
    await vi.waitFor(() => expect(server.openReplies('POST')).toBe(0))
  })

  test('is told of close: no session and no reply stays', async () => {
    const server = await httpServer()
    const source = openSource({ url: server.url })
    await source.tools('demo', patience)
    expect(server.sessionCount).toBe(1)
    await source.close()
    expect(server.sessionCount).toBe(0)
    await vi.waitFor(() => expect(server.openReplies('GET')).toBe(0))
  })

  test('where nobody listens is a failure of the provider', async () => {
    const server = await httpServer()
    await server.close()
    const source = openSource({ url: server.url })
    await expect(source.tools('demo', patience)).rejects.toMatchObject({ code: 'provider-failed' })
  })

  test.each([
    ['an error with a text', 500, 'text/plain', 'The password of the database is hunter2.'],
    ['a page', 200, 'text/html', '<h1>It works!</h1>'],
    ['JSON that is no message', 200, 'application/json', '{"hello":"world"}'],
    ['a redirect', 302, 'text/plain', ''],
  ])('that answers with %s is a failure of the provider, whose text is not told', async (_what, status, type, body) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': type, location: 'http://example.invalid/' }).end(body)
    })
    const source = openSource({ url: await urlOf(server) })
    await expect(source.tools('demo', patience)).rejects.toMatchObject({
      code: 'provider-failed',
      message: 'The MCP server "demo" cannot be reached, or does not keep to the protocol.',
      data: {},
    })
  })
})

describe('a server at a URL whose reply has no end', () => {
  test('is given up after 4 MB', async () => {
    let sentBytes = 0
    function* endless() {
      for (;;) {
        sentBytes += 65_536
        yield 'x'.repeat(65_536)
      }
    }
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      pipeline(endless, response, () => {})
    })
    const source = openSource({ url: await urlOf(server) })
    await expect(source.tools('demo', patience)).rejects.toMatchObject({ code: 'provider-failed' })
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024)
  })
})

describe('a source', () => {
  test('knows its servers and says so when asked for another one', async () => {
    const source = openSource(stdioServer())
    expect(source.servers).toEqual(['demo'])
    await expect(source.tools('dem', patience)).rejects.toThrow('Did you mean "demo"?')
  })

  test('without servers has nothing to do', async () => {
    const source = createMcpToolSource(new Map(), onLoopback)
    expect(source.servers).toEqual([])
    await source.close()
  })
})
