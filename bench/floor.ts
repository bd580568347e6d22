// What a team would write by hand: a Fastify route around the openai SDK at its defaults. It stores nothing.
import Fastify from 'fastify'
import OpenAI from 'openai'

const client = new OpenAI()
const app = Fastify()

async function ask(system: string, user: string, extra: { readonly max_completion_tokens?: number } = {}) {
  const completion = await client.chat.completions.create({
    model: 'gpt-4o',
    temperature: 0.2,
    ...extra,
    messages: [
      { role: 'developer', content: system },
      { role: 'user', content: user },
    ],
  })
  return completion.choices[0]?.message.content ?? ''
}

const schema = {
  body: { type: 'object', required: ['task'], properties: { task: { type: 'string' } }, additionalProperties: false },
} as const

app.post<{ Body: { task: string } }>('/tactics/summarizer', { schema }, async ({ body }) => {
  const text = `Summarize this text in 3 bullet points:\n\n${body.task}`
  return { result: await ask('You are a concise technical writer.', text, { max_completion_tokens: 1000 }) }
})

app.post<{ Body: { task: string } }>('/tactics/researcher', { schema }, async ({ body }) => {
  const facts = await ask('You gather accurate factual information.', `List 5 key facts about: ${body.task}`)
  const text = `Facts:\n${facts}\n\nWrite a short paragraph.`
  return { result: await ask('You write clear, concise summaries.', text) }
})

app.post<{ Body: { task: string } }>('/tactics/summarizer/stream', { schema }, async ({ body }, reply) => {
  const stream = await client.chat.completions.create({
    model: 'gpt-4o',
    temperature: 0.2,
    max_completion_tokens: 1000,
    stream: true,
    stream_options: { include_usage: true },
    messages: [
      { role: 'developer', content: 'You are a concise technical writer.' },
      { role: 'user', content: `Summarize this text in 3 bullet points:\n\n${body.task}` },
    ],
  })
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
  let result = ''
  for await (const chunk of stream) {
    const text = chunk.choices[0]?.delta.content ?? ''
    if (text === '') continue
    result += text
    reply.raw.write(`event: agent.delta\ndata: ${JSON.stringify({ text })}\n\n`)
  }
  reply.raw.end(`event: result\ndata: ${JSON.stringify({ result })}\n\n`)
})

const url = await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ url })}\n`)
