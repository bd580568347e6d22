import type { AgentPlan, CeilingPrice, ModelChoice } from '../domain/agent.ts'
import { LllmError } from '../domain/errors.ts'
import type { ApiType, ModelRequest, PriceBook } from '../domain/invoker.ts'
import type { Json } from '../domain/json.ts'
import type { Amounts } from '../domain/limits.ts'
import { type Message, type Part, textOf } from '../domain/message.ts'

/** What a completion may have under a limit, where config does not say: it is sent to the provider, so that it holds. */
export const completionTokensDefault = 4_096

/**
 * Tokens that a request, and each of its messages, has beside its content, generously.
 *
 * The content itself is counted as a token for each byte of UTF-8. Real text has about four bytes a token, but no tokenizer
 * of bytes makes more than one of a byte, and digits, rare letters or base64 come near it: this is a bound, not a guess.
 */
const tokensPerRequest = 64
const tokensPerMessage = 16
/** The most that a model is known to count an image of any size as. */
const tokensPerImage = 50_000

/** The arguments that bound a completion, the one that is sent by default first. */
const completionArgs: Readonly<Record<ApiType, readonly [string, ...string[]]>> = {
  completion: ['max_completion_tokens', 'max_tokens'],
  response: ['max_output_tokens'],
}

/** The request with a bound on its completion. One that config gives is left as it is. */
export function boundCompletion(request: ModelRequest): ModelRequest {
  const { apiType, modelArgs } = request
  if (completionBoundOf(request) !== undefined) return request
  const [name] = completionArgs[apiType]
  return { ...request, modelArgs: { ...modelArgs, [name]: completionTokensDefault } }
}

function completionBoundOf({ apiType, modelArgs }: ModelRequest): number | undefined {
  const given = completionArgs[apiType].map((name) => modelArgs[name]).filter(isCount)
  return given.length === 0 ? undefined : Math.max(...given)
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

export interface Pricing {
  readonly agent: Pick<AgentPlan, 'name' | 'ceilingPrice'>
  readonly choice: ModelChoice
  readonly prices: PriceBook
  readonly nowMs: number
}

/**
 * The most that a request can take, provided that its completion is bounded where tokens or money matter.
 *
 * @param pricing Null where money does not matter.
 * @throws LllmError `unpriced-model` when nobody knows what the model costs.
 */
export function worstCase(request: ModelRequest, pricing: Pricing | null): Amounts {
  const choices = isCount(request.modelArgs['n']) ? request.modelArgs['n'] : 1
  const promptTokens = countPromptTokens(request)
  const completionTokens = (completionBoundOf(request) ?? 0) * choices
  const usd = pricing === null ? 0n : worstPrice(promptTokens, completionTokens, pricing)
  return { usd, tokens: BigInt(promptTokens) + BigInt(completionTokens), llm_calls: 1n }
}

function countPromptTokens({ messages, tools, format }: ModelRequest): number {
  const offered = tools.length === 0 ? 0 : bytesOf(JSON.stringify(tools))
  const wanted = format?.kind === 'json' ? bytesOf(JSON.stringify(format.schema)) : 0
  return messages.reduce((sum, message) => sum + countTokens(message), tokensPerRequest + offered + wanted)
}

function countTokens(message: Message): number {
  const name = 'name' in message ? bytesOf(message.name ?? '') : 0
  const calls = message.role === 'assistant' && message.toolCalls ? bytesOf(JSON.stringify(message.toolCalls)) : 0
  const refusal = message.role === 'assistant' ? bytesOf(message.refusal ?? '') : 0
  const images = typeof message.content === 'string' ? 0 : message.content.filter(isImage).length * tokensPerImage
  return tokensPerMessage + bytesOf(textOf(message)) + name + calls + refusal + images
}

function isImage({ type }: Part): boolean {
  return type === 'image'
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}

function worstPrice(promptTokens: number, completionTokens: number, pricing: Pricing): bigint {
  const { prices, nowMs, agent } = pricing
  const { model, invoker } = pricing.choice
  if (invoker.simulated) return 0n
  const priceWith = (cachedPromptTokens: number) => {
    const usage = { promptTokens, cachedPromptTokens, completionTokens, reasoningTokens: 0 }
    return prices.price([model], usage, nowMs, invoker.apiUrl)
  }
  const price = priceWith(0)
  if (price !== null) {
    // A cached prompt is cheaper, unless the operator's own prices say otherwise.
    const cached = priceWith(promptTokens) ?? price
    return BigInt(Math.max(price.promptPicoUsd, cached.promptPicoUsd)) + BigInt(price.completionPicoUsd)
  }
  if (agent.ceilingPrice !== undefined) return priceAtCeiling(agent.ceilingPrice, { promptTokens, completionTokens })
  throw new LllmError(
    'unpriced-model',
    `The price of the model "${model}" of the agent "${agent.name}" is not known, so it cannot be asked under a budget. Give it a price, or give the agent a ceiling_price.`,
  )
}

/** What tokens cost if the agent's config is right about the most that they can. */
export function priceAtCeiling(
  ceiling: CeilingPrice,
  tokens: { readonly promptTokens: number; readonly completionTokens: number },
): bigint {
  return (
    BigInt(tokens.promptTokens) * BigInt(ceiling.promptPicoUsd) +
    BigInt(tokens.completionTokens) * BigInt(ceiling.completionPicoUsd)
  )
}
