import type { PicoUsd, Usage } from '../../src/domain/cost.ts'
import type { ProviderRequest } from './provider-request.ts'
import { type ScriptedAnswer, wireText } from './provider-wire.ts'

/** Whole pico-USD a token, by the model that answers. */
export type ProviderPrices = Readonly<
  Record<
    string,
    {
      readonly promptPicoPerToken: PicoUsd
      readonly cachedPicoPerToken: PicoUsd
      readonly completionPicoPerToken: PicoUsd
    }
  >
>

/** A token for every four characters, and at least one, unless the script says otherwise. */
export function usageOf(answer: ScriptedAnswer, request: ProviderRequest): Usage | null {
  if (answer.usage === null) return null
  const countTokens = (text: string) => Math.max(1, Math.ceil(text.length / 4))
  const replied = (answer.text ?? '') + answer.toolCalls.map(({ args }) => JSON.stringify(args)).join('')
  return {
    promptTokens: countTokens(request.messages.map(wireText).join('')),
    cachedPromptTokens: 0,
    completionTokens: countTokens(replied),
    reasoningTokens: 0,
    ...answer.usage,
  }
}

/** What an answer costs, exactly. */
export function charge(prices: ProviderPrices, model: string, usage: Usage | null): PicoUsd {
  const price = prices[model]
  if (price === undefined || usage === null) return 0
  const { promptTokens, cachedPromptTokens, completionTokens } = usage
  return (
    (promptTokens - cachedPromptTokens) * price.promptPicoPerToken +
    cachedPromptTokens * price.cachedPicoPerToken +
    completionTokens * price.completionPicoPerToken
  )
}
