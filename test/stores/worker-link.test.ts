import { expect, test } from 'vitest'
import { createWorkerLink } from '../../src/stores/worker-link.ts'
import type { FragilePort } from '../support/fragile-port.ts'

const workerFile = new URL('../support/fragile-worker.ts', import.meta.url)
const openLink = () => createWorkerLink<FragilePort>(workerFile, { path: 'x' })

test('gives each caller the answer to its own call', async () => {
  const link = openLink()
  const answers = await Promise.all([1, 2, 3].map((number) => link.call('echo', number)))
  expect(answers).toEqual([1, 2, 3].map((number) => ({ args: [number], data: { path: 'x' } })))
  await link.end()
})

test('rejects with the words of the worker, and keeps its error as the cause', async () => {
  const link = openLink()
  await expect(link.call('fail')).rejects.toMatchObject({
    code: 'store-unavailable',
    message: 'It failed. Try another value.',
    cause: expect.objectContaining({ message: 'the inner reason' }),
  })
  await link.end()
})

test('rejects a call whose values cannot be copied to a thread, and goes on', async () => {
  const link = openLink()
  const unavailable = expect.objectContaining({ code: 'store-unavailable' })
  await expect(link.call('echo', () => 'a function')).rejects.toEqual(unavailable)
  await expect(link.call('echo', 1)).resolves.toMatchObject({ args: [1] })
  await link.end()
})

test('rejects all calls under way when the worker dies, and starts it again for the next one', async () => {
  const link = openLink()
  const calls = await Promise.allSettled([link.call('hang'), link.call('hang'), link.call('die')])
  const died = expect.objectContaining({
    status: 'rejected',
    reason: expect.objectContaining({ code: 'store-unavailable' }),
  })
  expect(calls).toEqual([died, died, died])
  await expect(link.call('echo', 'again')).resolves.toMatchObject({ args: ['again'] })
  await link.end()
})

test('gives up on a worker that only ever dies, and says so', async () => {
  const link = openLink()
  const messages: string[] = []
  for (let attempt = 0; attempt < 7; attempt++) {
    // What cannot be copied is no answer of the worker.
    await expect(link.call('echo', () => 'a function')).rejects.toThrow()
    await link.call('die').catch((error: Error) => messages.push(error.message))
  }
  expect(messages.slice(0, 6).every((message) => message.includes('started again'))).toBe(true)
  expect(messages[6]).toContain('6 times in a row')
  await link.end()
})

test('rejects calls that are under way when it is ended', async () => {
  const link = openLink()
  const call = link.call('hang')
  await Promise.all([expect(call).rejects.toMatchObject({ code: 'store-unavailable' }), link.end()])
})

test('refuses calls beyond what may wait at once', async () => {
  const link = openLink()
  const waiting = Array.from({ length: 1_000 }, () => link.call('hang'))
  const settled = Promise.allSettled(waiting)
  await expect(link.call('echo')).rejects.toMatchObject({ code: 'store-unavailable' })
  await link.end()
  await settled
})

test('settles what the thread has answered at once where it is told to, without a turn of the event loop', async () => {
  const link = openLink()
  await link.call('echo', 0)
  let answer: unknown
  void link.call('echo', 1).then((value) => (answer = value))
  // No turn begins here: the loop is held up, as it is by many calls that end together.
  for (const endAt = performance.now() + 10_000; answer === undefined && performance.now() < endAt; ) {
    link.takeReplies()
    await Promise.resolve()
  }
  expect(answer).toMatchObject({ args: [1] })
  await link.end()
})
