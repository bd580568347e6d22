// An OpenAI-compatible server that answers every chat completion with the same text after LATENCY_MS.
import { createServer } from 'node:http'

const latencyMs = Number(process.env['LATENCY_MS'] ?? 0)
const answer = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  choices: [
    {
      index: 0,
      finish_reason: 'stop',
      logprobs: null,
      message: { role: 'assistant', refusal: null, content: 'First point.\nSecond point.\nThird point.'.repeat(4) },
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 40, total_tokens: 160 },
})
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) }

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    const reply = () => response.writeHead(200, headers).end(answer)
    if (latencyMs > 0) setTimeout(reply, latencyMs)
    else reply()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', 4096, () => {
  process.stdout.write(
    `${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1` })}\n`,
  )
})
