import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { listen, never, openService, type TestService } from './service.ts'

/** Posts and leaves the answer for later, so that the client can go away before it. */
function startPost(baseUrl: string, path: string, payload: object) {
  const client = new AbortController()
  const answer = fetch(baseUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(payload),
    signal: client.signal,
  })
  return { answer, hangUp: () => client.abort() }
}

/** A model that takes for ever, and promises that it was asked and that it was stopped. */
function hang({ model }: TestService) {
  const signals: AbortSignal[] = []
  model.answer = (_request, signal) => {
    signals.push(signal)
    return never(signal)
  }
  return {
    signals,
    asked: (count = 1) => vi.waitFor(() => expect(signals).toHaveLength(count)),
  }
}

function lastLine({ logLines }: TestService) {
  return logLines.findLast(({ msg }) => msg === 'request')
}

/** Writes bytes as they are and resolves to all that comes back until the server closes. */
async function speak(baseUrl: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(baseUrl)
  const socket = connect(Number(port), hostname)
  socket.write(bytes)
  return text(socket)
}

describe('a client that goes away', () => {
  test('cancels its call: the model is stopped, and the session is stored as cancelled', async () => {
    const service = await openService()
    const { signals, asked } = hang(service)
    const { answer, hangUp } = startPost(await listen(service), '/tactics/shout', { task: 'a' })
    await asked()
    hangUp()
    await expect(answer).rejects.toThrow()

    await vi.waitFor(() => expect(lastLine(service)).toMatchObject({ status: 499, session_id: expect.any(String) }))
    expect(signals[0]?.aborted).toBe(true)
    const stored = await service.server.inject(`/sessions/${lastLine(service)?.['session_id']}`)
    expect(stored.json()).toMatchObject({ state: 'cancelled', end_reason: 'client-closed' })
  })

  test('cancels its batch: what waits is not started', async () => {
    const service = await openService()
    const { signals, asked } = hang(service)
    const { answer, hangUp } = startPost(await listen(service), '/tactics/shout/batch', {
      tasks: Array(10).fill('a'),
      max_workers: 2,
    })
    await asked(2)
    hangUp()
    await expect(answer).rejects.toThrow()
    await vi.waitFor(() => expect(lastLine(service)).toMatchObject({ status: 499 }))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    const { data } = (await service.server.inject('/sessions')).json()
    expect(data.map(({ state }: { state: string }) => state)).toEqual(['cancelled', 'cancelled'])
  })

  test('in the middle of its body leaves nothing behind but a line in the log', async () => {
    const service = await openService()
    const { hostname, port } = new URL(await listen(service))
    const socket = connect(Number(port), hostname)
    socket.write(
      'POST /tactics/shout HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"ta',
    )
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(1))
    socket.destroy()
    await vi.waitFor(() => expect(lastLine(service)).toMatchObject({ status: 499 }))
    expect(service.model.callCount).toBe(0)
  })
})

function connectionCount({ server }: TestService): Promise<number> {
  return new Promise((resolve) => server.server.getConnections((_error, count) => resolve(count)))
}

test('a call of a client that stays is not cancelled when its body has been read', async () => {
  const service = await openService()
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let wasAborted = true
  service.model.answer = async (_request, signal) => {
    await released
    wasAborted = signal.aborted
    return 'late'
  }
  const { answer } = startPost(await listen(service), '/tactics/shout', { task: 'x'.repeat(200_000) })
  await vi.waitFor(() => expect(service.model.callCount).toBe(1))
  release()
  expect(await (await answer).json()).toMatchObject({ result: 'late' })
  expect(wasAborted).toBe(false)
})

describe('when the server closes', () => {
  test('calls under way end as such, and keep-alive connections with them', async () => {
    const service = await openService()
    const { asked } = hang(service)
    const { answer } = startPost(await listen(service), '/tactics/shout', { task: 'a' })
    await asked()
    await service.server.close()
    const response = await answer
    expect(response.headers.get('connection')).toBe('close')
    expect(await response.json()).toMatchObject({ code: 'draining', status: 503, session_id: expect.any(String) })
    const session = await service.app.store.list({}, 1)
    expect(session.data).toMatchObject([{ state: 'cancelled' }])
  })

  test('calls are first given the time to end', async () => {
    const service = await openService()
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    service.model.answer = async () => {
      await released
      return 'in time'
    }
    const { answer } = startPost(await listen(service), '/tactics/shout', { task: 'a' })
    await vi.waitFor(() => expect(service.model.callCount).toBe(1))
    const drained = service.server.lllm.shutdown.drain(60_000)
    expect((await service.server.inject('/readyz')).statusCode).toBe(503)
    release()
    expect(await (await answer).json()).toMatchObject({ result: 'in time' })
    await drained
  })
})

describe('what is no sound HTTP', () => {
  test.each([
    ['nonsense', 'HELLO\r\n\r\n', 400, 'malformed-request'],
    [
      'a method that needs a type',
      'QUERY /tactics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
      415,
      'unsupported-media-type',
    ],
    ['no host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'malformed-request'],
    ['two hosts', 'GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n', 400, 'malformed-request'],
    [
      'headers without end',
      `GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'a body of two lengths',
      'POST /tactics/shout HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed-request',
    ],
  ])('(%s) is answered with a problem', async (_what, bytes, status, code) => {
    const service = await openService()
    const answer = await speak(await listen(service), bytes)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json')
    expect(answer.toLowerCase()).toMatch(/x-request-id: \S+/)
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, code })
    expect((await service.server.inject('/healthz')).statusCode).toBe(200)
  })
})

test('a body that is announced as too large is refused before it is sent', async () => {
  const service = await openService({ settings: { bodyLimitBytes: 1_024 } })
  const agent = new Agent()
  const request = httpRequest(`${await listen(service)}/tactics/shout`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'content-length': 1_000_000_000 },
  })
  const answered = new Promise<number | undefined>((resolve) =>
    request.on('response', ({ statusCode }) => resolve(statusCode)),
  )
  request.on('error', () => {})
  request.flushHeaders()
  expect(await answered).toBe(413)
  request.destroy()
  agent.destroy()
})

test('slow clients are given bounded times', async () => {
  const { server } = await openService()
  expect(server.server).toMatchObject({ requestTimeout: 60_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 })
})

test('clients that are refused and do not close their side are not held for ever', async () => {
  const service = await openService({ settings: { headersTimeoutMs: 100, requestTimeoutMs: 100 } })
  const { hostname, port } = new URL(await listen(service))
  const refused = [
    ['GET /healthz HTTP/1.1\r\nhost: a\r\n', 408],
    ['POST /tactics/shout HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{', 408],
    ['CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\nhello', 405],
    ['HELLO\r\n\r\n', 400],
  ] as const
  const sockets = refused.map(([bytes]) => {
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true })
    socket.write(bytes)
    return socket
  })
  const answers = await Promise.all(sockets.map(readToEnd))
  for (const [index, [, status]] of refused.entries()) {
    const answer = answers[index] ?? ''
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status })
  }
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, false, false, false])
  await vi.waitFor(async () => expect(await connectionCount(service)).toBe(0), { timeout: 5_000 })
  for (const socket of sockets) socket.destroy()
})

/** All that comes until the other side says that nothing follows. This side stays open. */
async function readToEnd(socket: Socket): Promise<string> {
  let read = ''
  socket.setEncoding('utf8').on('data', (piece: string) => {
    read += piece
  })
  await once(socket, 'end')
  return read
}

test('connections beyond the setting are closed at once, and others go on', async () => {
  const service = await openService({ settings: { connectionsMax: 2 } })
  const url = await listen(service)
  const held = [connectTo(url), connectTo(url)]
  await vi.waitFor(async () => expect(await connectionCount(service)).toBe(2))
  expect(await speak(url, 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n').catch(() => '')).toBe('')
  held[0]?.destroy()
  await vi.waitFor(async () => expect(await connectionCount(service)).toBe(1))
  expect(await speak(url, 'GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  held[1]?.destroy()
})

describe('connections of one address', () => {
  const request = 'GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'
  const ask = (url: string, from?: string) => {
    const socket = connectTo(url, from)
    socket.write(request)
    return text(socket).catch(() => '')
  }

  test('beyond the setting are closed at once, and those of others are not', async () => {
    const service = await openService({ settings: { connectionsPerAddress: 2 } })
    const url = await listen(service)
    const held = [connectTo(url), connectTo(url)]
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(2))
    expect([await ask(url), await ask(url)]).toEqual(['', ''])
    expect(await ask(url, '127.0.0.2')).toMatch(/^HTTP\/1\.1 200 /)
    const told = service.logLines.filter(({ level }) => level === 40)
    expect(told).toMatchObject([{ address: '127.0.0.1', msg: expect.stringContaining('LLLM_TRUST_PROXY') }])
    held[0]?.destroy()
    await vi.waitFor(async () => expect(await ask(url)).toMatch(/^HTTP\/1\.1 200 /))
    held[1]?.destroy()
  })

  test('have no limit where it is that of a proxy which is trusted', async () => {
    const service = await openService({ settings: { connectionsPerAddress: 1, trustProxy: '127.0.0.2' } })
    const url = await listen(service)
    const held = [connectTo(url, '127.0.0.2'), connectTo(url, '127.0.0.2'), connectTo(url)]
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(3))
    expect(await ask(url, '127.0.0.2')).toMatch(/^HTTP\/1\.1 200 /)
    expect(await ask(url)).toBe('')
    for (const socket of held) socket.destroy()
  })
})

function connectTo(url: string, localAddress?: string) {
  const { hostname, port } = new URL(url)
  return connect({ host: hostname, port: Number(port), ...(localAddress === undefined ? {} : { localAddress }) })
}

test('an expectation that nobody knows is ignored', async () => {
  const url = await listen(await openService())
  const answer = await speak(url, 'GET /healthz HTTP/1.1\r\nhost: a\r\nexpect: a miracle\r\nconnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})
