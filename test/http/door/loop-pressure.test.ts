import fastify from 'fastify'
import { expect, onTestFinished, test, vi } from 'vitest'
import { isLllmError } from '../../../src/domain/errors.ts'
import { refuseUnderPressure } from '../../../src/http/door/loop-pressure.ts'
import { openService } from '../service.ts'

/** Leaves the event loop nothing else to do. */
function block(durationMs: number) {
  const untilMs = performance.now() + durationMs
  while (performance.now() < untilMs);
}

async function openServer(loopDelayMaxMs: number) {
  const server = fastify()
  onTestFinished(() => server.close())
  server.setErrorHandler((error, _request, reply) => reply.code(503).send({ code: isLllmError(error) && error.code }))
  await refuseUnderPressure(server, { loopDelayMaxMs }, 20)
  server.get('/calls', async () => 'here')
  server.get('/alive', { config: { isProbe: true } }, async () => 'here')
  return (url: string) => server.inject(url)
}

test('while the event loop is late requests are refused as overloaded, and probes are not; then all is as before', async () => {
  const get = await openServer(30)
  const refused = await vi.waitFor(
    async () => {
      block(150)
      const answer = await get('/calls')
      expect(answer.statusCode).toBe(503)
      return answer
    },
    { timeout: 5_000, interval: 1 },
  )
  expect(refused.json()).toEqual({ code: 'overloaded' })
  expect((await get('/alive')).statusCode).toBe(200)
  await vi.waitFor(async () => expect((await get('/calls')).statusCode).toBe(200), { timeout: 5_000, interval: 10 })
})

test('a limit of 0 is none', async () => {
  const get = await openServer(0)
  for (let index = 0; index < 5; index++) {
    block(30)
    expect((await get('/calls')).statusCode).toBe(200)
  }
})

test('the service tells it as a problem that says when to come back, and is alive and ready meanwhile', async () => {
  const { server } = await openService({ settings: { loopDelayMaxMs: 1 } })
  const refused = await vi.waitFor(
    async () => {
      block(200)
      const answer = await server.inject('/tactics')
      expect(answer.statusCode).toBe(503)
      return answer
    },
    { timeout: 10_000, interval: 1 },
  )
  expect(refused.headers).toMatchObject({ 'retry-after': '5' })
  expect(refused.headers['content-type']).toContain('application/problem+json')
  expect(refused.json()).toMatchObject({ code: 'overloaded', retryable: true })
  for (const url of ['/healthz', '/readyz']) expect((await server.inject(url)).statusCode).toBe(200)
})
