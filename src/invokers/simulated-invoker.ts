import { hash } from 'node:crypto'
import type { Usage } from '../domain/cost.ts'
import type { Invoker, ModelReply, ModelRequest, OnDelta, OutputFormat } from '../domain/invoker.ts'
import { type AssistantMessage, type Message, textOf } from '../domain/message.ts'
import { untilAborted } from '../domain/until-aborted.ts'

/** Characters of the request that a reply repeats. */
const excerptMax = 160
const charactersPerToken = 4

/**
 * A model that is none: it answers at once, offline, and the same request always gets the same reply. The replies say that
 * they are simulated, and have the form that was asked for: JSON that fits a schema, the tags of a parser, a tool call. They
 * are streamed word by word.
 */
export function createSimulatedInvoker({ name = 'simulated' }: { readonly name?: string } = {}): Invoker {
  return {
    name,
    simulated: true,
    async invoke(request, signal, onDelta) {
      signal.throwIfAborted()
      const { model, messages, modelArgs, tools, format } = request
      const digest = hash('sha256', JSON.stringify([model, messages, modelArgs, tools, format]), 'hex')
      const reply = await makeReply(request, digest)
      signal.throwIfAborted()
      if (onDelta !== undefined) await untilAborted(() => tellWords(reply.message.content, signal, onDelta), signal)
      return reply
    },
    async close() {},
  }
}

async function tellWords(text: string, signal: AbortSignal, onDelta: OnDelta): Promise<void> {
  if (text === '') return
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    signal.throwIfAborted()
    await onDelta(word)
  }
  signal.throwIfAborted()
}

async function makeReply(request: ModelRequest, digest: string): Promise<ModelReply> {
  const message = await makeMessage(request, digest)
  return {
    id: `sim_${digest.slice(0, 24)}`,
    model: 'simulated',
    message,
    finishReason: message.toolCalls === undefined ? 'stop' : 'tool_calls',
    usage: countUsage(request.messages, message),
  }
}

async function makeMessage({ messages, tools, format }: ModelRequest, digest: string): Promise<AssistantMessage> {
  const seed = Number.parseInt(digest.slice(0, 8), 16)
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1)
  const [tool] = tools
  if (tool !== undefined && !turn.some(({ role }) => role === 'tool')) {
    const { fakeJson } = await import('./fake-json.ts')
    const call = { id: `call_${digest.slice(0, 24)}`, name: tool.name, arguments: fakeJson(tool.parameters, seed) }
    return { role: 'assistant', content: '', toolCalls: [call] }
  }
  if (format?.kind === 'json') {
    const { fakeJson } = await import('./fake-json.ts')
    return { role: 'assistant', content: fakeJson(format.full, seed) }
  }
  const answer = `[simulated] ${describeTurn(messages, turn)}`
  return { role: 'assistant', content: format === undefined ? answer : `${answer}\n\n${writeTags(format)}` }
}

function describeTurn(messages: readonly Message[], turn: readonly Message[]): string {
  const asked = messages.findLast(({ role }) => role === 'user')
  const results = turn.filter(({ role }) => role === 'tool').map((message) => excerpt(textOf(message)))
  const told = results.length === 0 ? '' : ` The tools gave “${excerpt(results.join('; '))}”.`
  return `A reply to “${asked === undefined ? '' : excerpt(textOf(asked))}”.${told}`
}

function excerpt(text: string): string {
  // Only the beginning is looked at, however long the text is.
  const line = text
    .slice(0, excerptMax * 4)
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length <= excerptMax ? line : `${line.slice(0, excerptMax).toWellFormed()}…`
}

function writeTags({ tags, fences, signals }: Extract<OutputFormat, { kind: 'tags' }>): string {
  const blocks = [
    ...tags.map((tag) => `<${tag}>simulated ${tag}</${tag}>`),
    ...fences.map((fence) => `\`\`\`${fence}\n${fence === 'json' ? '{ "simulated": true }' : 'simulated'}\n\`\`\``),
    ...signals.map((signal) => `<${signal}>`),
  ]
  return blocks.join('\n')
}

function countUsage(messages: readonly Message[], reply: AssistantMessage): Usage {
  const asked = messages.reduce((length, message) => length + textOf(message).length, 0)
  const told =
    reply.content.length + (reply.toolCalls ?? []).reduce((length, call) => length + call.arguments.length, 0)
  const countTokens = (length: number) => Math.max(1, Math.ceil(length / charactersPerToken))
  return {
    promptTokens: countTokens(asked),
    cachedPromptTokens: 0,
    completionTokens: countTokens(told),
    reasoningTokens: 0,
  }
}
