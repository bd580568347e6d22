import { expect, test, vi } from 'vitest'
import { readExposition } from '../support/exposition.ts'
import { listen, openService, type TestService } from './service.ts'
import { post } from './stream-client.ts'

async function figuresOf({ app }: TestService) {
  return readExposition((await app.metrics?.read()) ?? '')
}

test('calls that wait for a place are counted while they do', async () => {
  const service = await openService({ settings: { callsMax: 1, queueMax: 5 } })
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<string>()
  service.model.answer = () => {
    asked.resolve()
    return answer.promise
  }
  const call = () => service.server.inject({ method: 'POST', url: '/tactics/shout', payload: { task: 'a' } })
  const first = call()
  await asked.promise
  const others = [call(), call()]
  await vi.waitFor(async () => expect((await figuresOf(service)).valuesOf('lllm_calls_queued')).toEqual({ '': 2 }))
  answer.resolve('A')
  for (const { statusCode } of await Promise.all([first, ...others])) expect(statusCode).toBe(200)
  expect((await figuresOf(service)).valuesOf('lllm_calls_queued')).toEqual({ '': 0 })
})

test('a client that goes away is counted as one, by the pattern of its route', async () => {
  const service = await openService()
  const client = new AbortController()
  service.model.answer = (_request, signal) => {
    client.abort()
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  }
  const url = await listen(service)
  await expect(post(`${url}/tactics/count-nodes`, { task: { label: 'a' } }, { signal: client.signal })).rejects.toThrow(
    'abort',
  )
  await vi.waitFor(async () => {
    const requests = (await figuresOf(service)).valuesOf('lllm_http_requests_total')
    expect(requests).toEqual({ '/tactics/:name POST 499': 1 })
  })
})
