import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createOpenAnswers, readerPatienceMs } from '../../src/http/open-answers.ts'
import { listen, never, openService, type TestService } from './service.ts'

type Answer = Parameters<ReturnType<typeof createOpenAnswers>['add']>[0]

/** An answer whose reader is up to a test, with time that is, too. */
function openAnswer() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const answers = createOpenAnswers()
  const socket = { writableLength: 0, bytesWritten: 0, _handle: { writeQueueSize: 0 }, destroy: vi.fn() }
  const answer = { socket, on: (_event: string, callback: () => void) => closes.push(callback) }
  const closes: (() => void)[] = []
  answers.add(answer as unknown as Answer)
  return {
    answers,
    answer: answer as unknown as Answer,
    socket,
    close() {
      for (const callback of closes) callback()
    },
    pass: (durationMs: number) => vi.advanceTimersByTime(durationMs),
  }
}

describe('a reader', () => {
  test('who takes nothing for 30 seconds is disconnected, and not earlier', () => {
    const { socket, pass } = openAnswer()
    Object.assign(socket, { bytesWritten: 9_000, writableLength: 5_000 })
    pass(readerPatienceMs)
    expect(socket.destroy).not.toHaveBeenCalled()
    pass(readerPatienceMs / 2)
    expect(socket.destroy).toHaveBeenCalled()
  })

  test('who takes a little now and then is not, also of a piece that is large', () => {
    const { socket, pass } = openAnswer()
    Object.assign(socket, { bytesWritten: 900_000, writableLength: 900_000 })
    for (let left = 900_000; left > 0; left -= 100_000) {
      // Node itself knows nothing of how far the system is with a piece.
      socket._handle.writeQueueSize = left
      pass(readerPatienceMs * 0.9)
    }
    expect(socket.destroy).not.toHaveBeenCalled()
    pass(readerPatienceMs * 1.5)
    expect(socket.destroy).toHaveBeenCalled()
  })

  test('gains no time by what is added meanwhile', () => {
    const { socket, pass } = openAnswer()
    Object.assign(socket, { bytesWritten: 1_000, writableLength: 1_000 })
    for (let count = 0; count < 5; count++) {
      pass(readerPatienceMs / 3)
      socket.bytesWritten += 1_000
      socket.writableLength += 1_000
    }
    expect(socket.destroy).toHaveBeenCalled()
  })

  test('who waits for an answer that is not there yet is not disconnected', () => {
    const { socket, pass } = openAnswer()
    pass(readerPatienceMs * 10)
    expect(socket.destroy).not.toHaveBeenCalled()
  })

  test('of what is made no faster than it is read may rest', () => {
    const { answers, answer, socket, pass } = openAnswer()
    answers.letRest(answer)
    Object.assign(socket, { bytesWritten: 9_000, writableLength: 5_000 })
    pass(readerPatienceMs * 10)
    expect(socket.destroy).not.toHaveBeenCalled()
  })

  test('is looked at no more when the answer is over', () => {
    const { close, pass } = openAnswer()
    close()
    pass(readerPatienceMs)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a client that never reads', () => {
  const patienceMs = 60
  const connectionCount = ({ server }: TestService) =>
    new Promise<number>((resolve) => server.server.getConnections((_error, count) => resolve(count)))

  /** Sends many requests at once, and reads nothing. */
  function sendMany(baseUrl: string, path: string, count: number) {
    const { hostname, port } = new URL(baseUrl)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.pause()
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`.repeat(count))
    return socket
  }

  test.each([
    ['answers that are there at once', '/openapi.json', 400],
    ['files', '/docs/static/swagger-ui-bundle.js', 40],
  ])('is disconnected, for %s', async (_what, path, count) => {
    const service = await openService({ readerPatienceMs: patienceMs })
    const url = await listen(service)
    const sockets = Array.from({ length: 3 }, () => sendMany(url, path, count))
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(3))
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(0), { timeout: 10_000 })
    for (const socket of sockets) socket.destroy()
  })

  test('costs nobody else anything who waits for longer than that', async () => {
    const service = await openService({ readerPatienceMs: patienceMs })
    const url = await listen(service)
    let answer = (_text: string) => {}
    service.model.answer = (_request, signal) =>
      Promise.race([never(signal), new Promise<string>((resolve) => (answer = resolve))])
    const body = JSON.stringify({ task: 'a' })
    const call = fetch(`${url}/tactics/shout`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const stuck = sendMany(url, '/openapi.json', 400)
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(2))
    await vi.waitFor(async () => expect(await connectionCount(service)).toBe(1), { timeout: 10_000 })
    answer('done')
    expect(await (await call).json()).toMatchObject({ result: 'done' })
    stuck.destroy()
  })
})

test('a reader who takes a large answer slowly is seen to do so, and one who stops is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const answers = createOpenAnswers()
  const server = createServer((_request, response) => {
    answers.add(response)
    // One piece, of which Node tells nothing before it is gone as a whole.
    response.end(Buffer.alloc(100_000_000))
  })
  onTestFinished(() => void server.close())
  const taken = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const socket = await taken
  const read = (bytes: number) =>
    new Promise<void>((resolve) => {
      let left = bytes
      client.on('data', function onData(piece) {
        left -= piece.length
        if (left > 0) return
        client.off('data', onData).pause()
        resolve()
      })
      client.resume()
    })
  for (let count = 0; count < 4; count++) {
    await read(10_000_000)
    vi.advanceTimersByTime(readerPatienceMs * 0.9)
    expect(socket.destroyed).toBe(false)
  }
  expect(socket.writableLength).toBeGreaterThan(90_000_000)
  vi.advanceTimersByTime(readerPatienceMs * 1.5)
  expect(socket.destroyed).toBe(true)
  client.destroy()
})
