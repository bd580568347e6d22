import type { Usage } from '../domain/cost.ts'
import { type Invoker, type ModelReply, type ModelRequest, ProviderError } from '../domain/invoker.ts'
import { textOf } from '../domain/message.ts'
import { tellRequest, tellRunOut, tellUnused } from './script-faults.ts'

/** What a scripted model does with one request. */
export type Answer = (request: ModelRequest, signal: AbortSignal) => ModelReply | Promise<ModelReply>

/** A text is a plain reply. */
export type Line = string | Answer

/** One line answers every request. A list answers one request with each of its lines, in the order in which they come. */
export type Lines = Line | readonly Line[]

/** What the model says to whoever asks, or to each agent by its name. */
export type Script = Lines | Readonly<Record<string, Lines>>

/** A model in the same process that follows a script and remembers what it was asked. It streams word by word. */
export interface ScriptedModel {
  /** All requests so far, in the order in which they came. */
  readonly requests: readonly ModelRequest[]
  /** How many requests there were under way at once, at the most. */
  readonly mostInFlight: number
  /** The requests of one agent, in their order. None, if it never asked. */
  requestsOf(agent: string): readonly ModelRequest[]
  /** What one agent said last in each of its requests: the text that a reply was wanted for. */
  textsOf(agent: string): readonly string[]
  /** @throws Error when lines of a list were not used, or when there were requests beyond the end of the script. */
  expectDone(): void
  readonly invoker: Invoker
}

/** The usage of every reply that says no other: at the prices of a test runtime, $0.00014. */
export const testUsage: Usage = { promptTokens: 100, cachedPromptTokens: 40, completionTokens: 20, reasoningTokens: 5 }

/**
 * Makes a model that follows a script. A request beyond the end of a list is refused, as `provider-rejected`, with a
 * message that tells what was asked.
 */
export function scriptedModel(script: Script, name = 'scripted'): ScriptedModel {
  const parts = partsOf(script)
  const requests: ModelRequest[] = []
  const beyond: ModelRequest[] = []
  let inFlight = 0
  let mostInFlight = 0

  function nextAnswer(request: ModelRequest): Answer {
    const part = parts.find(({ agent }) => agent === undefined || agent === request.agent)
    const line = part?.take()
    if (line !== undefined) return typeof line === 'function' ? line : says(line)
    beyond.push(request)
    throw new ProviderError('rejected', tellRunOut(request, requests.length, part, parts))
  }

  const invoker: Invoker = {
    name,
    simulated: false,
    async invoke(request, signal, onDelta) {
      requests.push(request)
      mostInFlight = Math.max(mostInFlight, ++inFlight)
      try {
        const reply = await nextAnswer(request)(request, signal)
        for (const word of onDelta ? reply.message.content.split(/(?<= )/) : []) {
          signal.throwIfAborted()
          await onDelta?.(word)
        }
        return reply
      } finally {
        inFlight--
      }
    },
    async close() {},
  }
  const requestsOf = (agent: string) => requests.filter((request) => request.agent === agent)
  return {
    requests,
    get mostInFlight() {
      return mostInFlight
    },
    requestsOf,
    textsOf: (agent) => requestsOf(agent).map(lastText),
    expectDone() {
      const left = parts.filter(({ used, count }) => used < count).map(tellUnused)
      const faults = [...left, ...beyond.map((request) => `Beyond the end of the script: ${tellRequest(request)}`)]
      if (faults.length > 0) throw new Error(faults.join('\n'))
    },
    invoker,
  }
}

/** The lines for one agent; without a name, for all of them. */
export interface ScriptPart {
  readonly agent: string | undefined
  readonly used: number
  /** How many lines have to be used; 0 where one line answers every request. */
  readonly count: number
  take(): Line | undefined
}

function partsOf(script: Script): readonly ScriptPart[] {
  if (isLines(script)) return [partOf(undefined, script)]
  return Object.entries(script).map(([agent, lines]) => partOf(agent, lines))
}

function isLines(script: Script): script is Lines {
  return typeof script !== 'object' || Array.isArray(script)
}

function partOf(agent: string | undefined, lines: Lines): ScriptPart {
  const list = typeof lines === 'object' ? [...lines] : undefined
  let used = 0
  return {
    agent,
    count: list?.length ?? 0,
    get used() {
      return used
    },
    take() {
      if (list === undefined) return lines as Line
      const line = list[used]
      if (line !== undefined) used++
      return line
    },
  }
}

function lastText({ messages }: ModelRequest): string {
  const last = messages.at(-1)
  return last === undefined ? '' : textOf(last)
}

/** A plain reply. `more` replaces parts of it: its usage, its finish reason … */
export function says(text: string, more: Partial<ModelReply> = {}): Answer {
  return ({ model }) => ({
    id: 'reply',
    model,
    message: { role: 'assistant', content: text },
    finishReason: 'stop',
    usage: testUsage,
    ...more,
  })
}
