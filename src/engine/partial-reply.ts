import { estimateTokens, tokensOfText } from '../domain/context-limit.ts'
import type { Usage } from '../domain/cost.ts'
import type { ModelRequest, OnDelta } from '../domain/invoker.ts'
import type { AssistantMessage } from '../domain/message.ts'

/** What has come of a reply so far. */
export interface PartialReply {
  readonly onDelta: OnDelta
  /** Null when nothing has come. */
  message(): AssistantMessage | null
}

/** Keeps the pieces of a reply as they are passed on, for the record of one that is cut short. */
export function collectDeltas(passOn: OnDelta): PartialReply {
  const pieces: string[] = []
  return {
    onDelta(text) {
      pieces.push(text)
      return passOn(text)
    },
    message: () => (pieces.length === 0 ? null : { role: 'assistant', content: pieces.join('') }),
  }
}

/** Counts the tokens of a request and of what came of its reply, where the provider told nothing. */
export function estimateUsage({ messages, tools }: ModelRequest, reply: AssistantMessage | null): Usage {
  return {
    promptTokens: estimateTokens(messages) + (tools.length === 0 ? 0 : tokensOfText(JSON.stringify(tools))),
    cachedPromptTokens: 0,
    completionTokens: reply === null ? 0 : estimateTokens([reply]),
    reasoningTokens: 0,
    estimated: true,
  }
}
