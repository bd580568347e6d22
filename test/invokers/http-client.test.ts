import { afterEach, describe, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../../src/invokers/http-client.ts'
import { noAbort, rejection } from '../support/invoker-fixtures.ts'
import {
  endless,
  type ScriptedProvider,
  type ScriptLine,
  stallAfter,
  startProvider,
} from '../support/scripted-provider.ts'

let client: HttpClient
let provider: ScriptedProvider
afterEach(async () => {
  await client.close()
  await provider.close()
})

/** The head of a stream, from a provider that may be idle for as long as this. */
async function openStream(line: ScriptLine, idleTimeoutMs: number) {
  provider = await startProvider([line])
  client = createHttpClient({ idleTimeoutMs })
  const body = JSON.stringify({ model: 'm', messages: [], stream: true })
  return client.post(`${provider.url}/chat/completions`, [], body, noAbort)
}

describe('a body that is read as it comes', () => {
  test('is given up when the provider is idle for too long', async () => {
    const reply = await openStream(stallAfter(['one']), 50)
    const readAll = async () => {
      while ((await reply.read()) !== null);
    }
    expect(await rejection(readAll())).toMatchObject({
      kind: 'unreachable',
      message: 'The provider stopped in the middle of its reply.',
      mayBeBilled: true,
    })
    await provider.until(({ inFlight }) => inFlight === 0)
  })

  test('may wait for its reader for any time, and no more of it is taken meanwhile', async () => {
    const reply = await openStream(endless('x'.repeat(10_000)), 50)
    await provider.untilStuck()
    const before = provider.bytesStreamed
    const unread = await reply.read()
    // A read from the socket, that went over the limit, is on top of the 64 kB.
    expect(unread?.length).toBeLessThanOrEqual(2 * 64 * 1024)
    for (let bytes = unread?.length ?? 0; bytes <= before; ) bytes += (await reply.read())?.length ?? 0
    expect(provider.bytesStreamed).toBeGreaterThan(before)
    reply.cancel()
    await provider.until(({ aborted }) => aborted === 1)
  })
})
