import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A server on this machine that speaks OpenAI's chat format and gives these replies, one after the other. */
export async function startScriptedModel(replies: readonly string[]) {
  const requests: unknown[] = []
  const server = createServer(async (incoming, outgoing) => {
    const content = replies[requests.length]
    requests.push(await json(incoming))
    outgoing.writeHead(content === undefined ? 400 : 200, { 'content-type': 'application/json' })
    const message = { role: 'assistant', content }
    const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 }
    outgoing.end(JSON.stringify({ id: 'scripted', choices: [{ message, finish_reason: 'stop' }], usage }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    /** What was asked, as it came. */
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
