// An OpenAI-compatible server that answers every chat completion with the same text after LATENCY_MS, or as a stream of
// CHUNKS pieces where a request asks for one.
import { createServer, type ServerResponse } from 'node:http'

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

const chunks = Number(process.env['CHUNKS'] ?? 200)
const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-4o',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
    ...more,
  })}\n\n`
const piece = chunk({ content: ' another word' })
const last =
  chunk({}, { choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] }) +
  chunk({}, { choices: [], usage: { prompt_tokens: 120, completion_tokens: chunks, total_tokens: 120 + chunks } }) +
  'data: [DONE]\n\n'

/** One piece in each turn of the event loop, as pieces come from a model: not all in one packet. */
function stream(response: ServerResponse) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(chunk({ role: 'assistant', content: '' }))
  let written = 0
  const next = () => {
    if (written++ === chunks) return response.end(last)
    response.write(piece)
    setImmediate(next)
  }
  next()
}

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (data: Buffer) => (body += data.toString()))
  request.on('end', () => {
    const reply = () =>
      body.includes('"stream":true') ? stream(response) : response.writeHead(200, headers).end(answer)
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
