import { createClient, LllmFault } from 'lllm/client'
import { describe, expect, test, vi } from 'vitest'
import { deadUrl } from '../support/dead-url.ts'
import { breaksOff, json, openFaulty } from './faulty-service.ts'

const answer = { result: 1, session_id: 's', cost_usd: 0 }

async function faultOf(promise: Promise<unknown>): Promise<LllmFault> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(LllmFault)
  return error as LllmFault
}

describe('what is no answer of the service is a fault:', () => {
  test('nobody listens, so that nothing can have been paid', async () => {
    const fault = await faultOf(createClient({ url: deadUrl }).tactic('x').call('y'))
    expect(fault).toMatchObject({ kind: 'network', mayHaveRun: false, status: undefined })
  })

  test.each<[string, Parameters<typeof openFaulty>[0], Partial<LllmFault>]>([
    [
      'the page of a proxy',
      (reply) => void reply.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
      { kind: 'protocol', status: 502 },
    ],
    ['JSON that is no problem', json({ message: 'no' }, 500), { kind: 'protocol', status: 500 }],
    [
      'an error that breaks off',
      (reply) => void reply.writeHead(500, { 'content-type': 'application/problem+json' }).end('{'),
      { kind: 'protocol', status: 500 },
    ],
    ['a page in the place of an answer', (reply) => void reply.end('<html>'), { kind: 'protocol', status: 200 }],
    ['JSON that is no answer', json([]), { kind: 'protocol', status: 200 }],
    ['half an answer', breaksOff('application/json', '{"result":', 'end'), { kind: 'protocol', status: 200 }],
    [
      'an answer whose socket is cut',
      breaksOff('application/json', '{"result":', 'cut'),
      { kind: 'network', status: 200 },
    ],
    ['a socket that is cut at once', (reply) => void reply.destroy(), { kind: 'network', status: undefined }],
    [
      'a redirect, which is not followed',
      (reply) => void reply.writeHead(307, { location: '/elsewhere' }).end(),
      { kind: 'network' },
    ],
    ['more than is read', json({ ...answer, more: 'x'.repeat(10_000) }), { kind: 'protocol' }],
  ])('%s', async (_case, answers, expected) => {
    const service = await openFaulty(answers)
    const client = createClient({ url: service.url, answerBytesMax: 5_000 })
    expect(await faultOf(client.tactic('x').call('y'))).toMatchObject({ ...expected, mayHaveRun: true })
    expect(service.received).toHaveLength(1)
  })

  test('an answer without the session that was asked for', async () => {
    const { url } = await openFaulty(json(answer))
    const tactic = createClient({ url }).tactic('x')
    expect(await faultOf(tactic.session('y'))).toMatchObject({ kind: 'protocol', mayHaveRun: true })
    expect(await tactic.call('y')).toEqual(answer)
  })

  test('silence beyond the time and its grace', async () => {
    const service = await openFaulty(() => {})
    const clock = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void) => {
      queueMicrotask(run)
      return 0
    }) as never)
    const fault = await faultOf(createClient({ url: service.url, timeoutMs: 10 }).tactic('x').call('y'))
    clock.mockRestore()
    expect(fault).toMatchObject({ kind: 'timeout', message: expect.stringContaining('10 ms') })
  })
})

describe('what a client is made from', () => {
  test.each([
    ['no URL', 'localhost'],
    ['another protocol', 'ftp://localhost'],
    ['a password', 'http://me:hunter2@localhost'],
    ['a query', 'http://localhost?key=hunter2'],
  ])('is refused: %s', (_case, url) => {
    expect(() => createClient({ url })).toThrow(TypeError)
    expect(() => createClient({ url })).not.toThrow('hunter2')
  })

  test('is refused: a header that none can be, whose value is not repeated', () => {
    const make = () => createClient({ url: 'http://localhost', headers: { authorization: 'hunter2\n' } })
    expect(make).toThrow('"authorization"')
    expect(make).not.toThrow('hunter2')
  })

  test('may have a fetch of its own', async () => {
    const given = vi.fn<typeof fetch>(async () => Response.json(answer))
    const client = createClient({ url: 'http://service', fetch: given })
    expect(await client.tactic('x').call('y')).toEqual(answer)
    expect(given).toHaveBeenCalledWith('http://service/tactics/x', expect.objectContaining({ redirect: 'error' }))
  })
})
