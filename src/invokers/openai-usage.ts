import { z } from 'zod'
import type { Usage } from '../domain/cost.ts'

const tokens = z.int().min(0)
const details = (key: string) => z.object({ [key]: tokens.nullish() }).nullish()

const chatUsage = z.object({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: details('cached_tokens'),
  completion_tokens_details: details('reasoning_tokens'),
})

const responsesUsage = z.object({
  input_tokens: tokens,
  output_tokens: tokens,
  input_tokens_details: details('cached_tokens'),
  output_tokens_details: details('reasoning_tokens'),
})

/** The usage of a chat completion; null when it is missing or cannot be true. */
export function readChatUsage(value: unknown): Usage | null {
  const { data } = chatUsage.safeParse(value)
  if (data === undefined) return null
  return believable({
    promptTokens: data.prompt_tokens,
    cachedPromptTokens: data.prompt_tokens_details?.['cached_tokens'] ?? 0,
    completionTokens: data.completion_tokens,
    reasoningTokens: data.completion_tokens_details?.['reasoning_tokens'] ?? 0,
  })
}

/** The usage of a response of the responses API; null when it is missing or cannot be true. */
export function readResponsesUsage(value: unknown): Usage | null {
  const { data } = responsesUsage.safeParse(value)
  if (data === undefined) return null
  return believable({
    promptTokens: data.input_tokens,
    cachedPromptTokens: data.input_tokens_details?.['cached_tokens'] ?? 0,
    completionTokens: data.output_tokens,
    reasoningTokens: data.output_tokens_details?.['reasoning_tokens'] ?? 0,
  })
}

/** A part cannot be larger than its whole. */
function believable(usage: Usage): Usage | null {
  const isTrue = usage.cachedPromptTokens <= usage.promptTokens && usage.reasoningTokens <= usage.completionTokens
  return isTrue ? usage : null
}
