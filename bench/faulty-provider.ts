// An OpenAI-compatible server that is as bad as providers can be: most requests are answered, the others fail in every way there is.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const usage = { prompt_tokens: 120, completion_tokens: 40, total_tokens: 160 }
const content = 'First point.\nSecond point.\nThird point.'
const completion = JSON.stringify({
  id: 'chatcmpl-soak',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
  usage,
})
const piecesPerStream = 40
const latencyMsMax = 40

function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', choices, ...more })}\n\n`
}

function stream(response: ServerResponse, pieces: number) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  let written = 0
  const next = () => {
    if (response.destroyed) return
    if (written === pieces && pieces < piecesPerStream) return void response.destroy()
    if (written === pieces) {
      response.write(chunk({}, 'stop'))
      response.end(`${chunk({}, null, { choices: [], usage })}data: [DONE]\n\n`)
      return
    }
    written += 1
    response.write(chunk({ content: ' word' }))
    setTimeout(next, 2)
  }
  next()
}

type Fault = (response: ServerResponse) => void
const json = { 'content-type': 'application/json' }

/** Each as likely as its number says, of 100. */
const faults: readonly (readonly [number, Fault])[] = [
  [4, (response) => response.writeHead(500, json).end('{"error":{"message":"It broke."}}')],
  [
    3,
    (response) =>
      response.writeHead(429, { ...json, 'retry-after-ms': '20' }).end('{"error":{"message":"Slow down."}}'),
  ],
  [2, (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Maintenance</html>')],
  [2, (response) => response.writeHead(200, json).end(completion.slice(0, 50))],
  [2, (response) => void response.destroy()],
  [2, (response) => void setTimeout(() => response.destroy(), latencyMsMax)],
  // Never answers: whoever asked has to give up.
  [2, () => {}],
]

/** Starts it on a free port. It counts what it was asked. */
export async function startFaultyProvider() {
  const counts = { requests: 0, faults: 0 }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (data: Buffer) => (body += data.toString()))
    request.on('end', () => {
      counts.requests += 1
      let left = Math.random() * 100
      for (const [share, fault] of faults) {
        left -= share
        if (left > 0) continue
        counts.faults += 1
        return fault(response)
      }
      const isStream = body.includes('"stream":true')
      const pieces = isStream && Math.random() < 0.05 ? 7 : piecesPerStream
      const answer = () => (isStream ? stream(response, pieces) : response.writeHead(200, json).end(completion))
      setTimeout(answer, Math.random() * latencyMsMax)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    counts,
    close: () => server.closeAllConnections(),
  }
}
