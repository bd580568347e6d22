import { describe, expect, onTestFinished, test } from 'vitest'
import { missingPostgres, openDatabase } from '../support/postgres.ts'
import { range } from '../support/session-stores.ts'
import { scripted, startService } from './support/service.ts'

const title = missingPostgres === undefined ? 'replicas' : `replicas (${missingPostgres})`

/** Two services that share a database. */
async function openReplicas(answer: () => string | Promise<string>) {
  const { url: database, stop } = await openDatabase()
  onTestFinished(stop)
  const provider = await scripted(answer)
  const replicas = [await startService({ provider, database }), await startService({ provider, database })] as const
  const post = async (index: number, key: string, route = '') => {
    const { url } = replicas[index % 2 === 0 ? 0 : 1]
    const response = await fetch(`${url}/tactics/summarizer${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(route === '/batches' ? { tasks: ['one', 'two'] } : { task: 'one' }),
    })
    const { status, headers } = response
    return { status, replayed: headers.get('idempotency-replayed'), text: await response.text() }
  }
  return { provider, replicas, post }
}

describe.skipIf(missingPostgres !== undefined)(title, () => {
  test('that are sent the same at once do it once, and both give the answer', async () => {
    const reply = Promise.withResolvers<string>()
    const { provider, replicas, post } = await openReplicas(() => reply.promise)
    const calls = range(20).map((index) => post(index, 'call'))
    // All but one are refused while that one waits for its model.
    const refused = await Promise.race(calls)
    expect(refused.status).toBe(409)
    await provider.until(({ inFlight }) => inFlight === 1)
    reply.resolve('Bees dance.')
    const statuses = (await Promise.all(calls)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(1)
    expect(new Set(statuses)).toEqual(new Set([200, 409]))
    const [left, right] = [await post(0, 'call'), await post(1, 'call')]
    expect(left).toMatchObject({ status: 200, replayed: 'true' })
    expect(right).toEqual(left)
    expect(provider.requests).toHaveLength(1)

    const runs = await Promise.all(range(100).map((index) => post(index, 'run', '/runs')))
    const batches = await Promise.all(range(20).map((index) => post(index, 'batch', '/batches')))
    for (const answers of [runs, batches]) {
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202))
      expect(new Set(answers.map(({ text }) => JSON.parse(text).id)).size).toBe(1)
    }
    const { data } = (await replicas[0].get('/runs')).body as { readonly data: readonly object[] }
    expect(data).toHaveLength(1 + 2)
  })
})
