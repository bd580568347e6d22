import type { Cost, PicoUsd } from './cost.ts'
import type { ApiType, Invoker } from './invoker.ts'
import type { JsonObject } from './json.ts'
import type { AssistantMessage, ImagePart, Message } from './message.ts'
import type { AnyPrompt, Prompt } from './prompt.ts'
import type { Schema, SchemaOutput } from './schema.ts'
import type { PromptArgs } from './template.ts'

/** The delivery of a `respond()`. */
export interface Reply<Parsed = string> {
  /** The text of the reply. */
  readonly content: string
  /** What the parser or the output schema of the prompt made of the text; without either, the text itself. */
  readonly parsed: Parsed
  readonly message: AssistantMessage
  readonly finishReason: string | null
  /** What this `respond()` cost: all of its model calls, the failed ones too. */
  readonly cost: Cost
}

export interface ForkOptions {
  /** Keep the last N messages only. Left out: all of them. */
  readonly lastN?: number
  /** With `lastN`: keep the first K messages as well. Default 1, which is the system message. */
  readonly firstK?: number
}

/**
 * An agent of a tactic, as its author sees it. It lives for one call and owns dialogs, each under an alias; one of them is
 * active. `Parsed` is the type that the active prompt's contract gives to the next reply.
 *
 * Methods that can be misused throw an LllmError `dialog-misuse` that says what is open and what is active.
 */
export interface Agent<Parsed = unknown> {
  readonly name: string
  /** The alias of the active dialog, if any. */
  readonly active: string | undefined
  /** The aliases of all open dialogs, in the order of their opening. */
  readonly aliases: readonly string[]
  /** The messages of the active dialog so far. */
  readonly messages: readonly Message[]

  /** Opens a dialog that begins with the rendered system prompt, and makes it active. An alias is used once. */
  open(alias: string, promptArgs?: PromptArgs): Agent
  /** Makes another dialog active. */
  switch(alias: string): Agent
  /** Closes a dialog, by default the active one, and frees its alias. Afterwards no dialog is active if it was this one. */
  close(alias?: string): Agent
  /** Copies a dialog under a new alias and makes the copy active. The original is left as it is. */
  fork(alias: string, childAlias: string, options?: ForkOptions): Agent

  /** Adds a user's message to the active dialog. The text is sent as it is: braces in it mean nothing. */
  receive(text: string, from?: { readonly name?: string }): Agent
  /** Adds a rendered prompt, whose tools, contract and handlers govern this turn. */
  receivePrompt<Args, Out>(prompt: Prompt<Args, Out>, args: Args): Agent<Out>
  /** The same by the path of a prompt in `prompts/`. */
  receivePrompt(path: string, args?: PromptArgs): Agent
  /** Adds an image, by URL or as base64, with an optional caption. Beside a prompt it is a part of that prompt's turn. */
  receiveImage(image: Omit<ImagePart, 'type'>, caption?: string): Agent<Parsed>

  /**
   * Asks the model until there is a plain and usable reply, running the tools that it calls meanwhile.
   * The dialog keeps the replies that were used, not the failed tries.
   *
   * @throws LllmError `reply-unusable`, `provider-failed`, `provider-rejected`, `provider-rate-limited`, `budget-exceeded`,
   *   `unpriced-model`, or how the call was ended.
   */
  respond(): Promise<Reply<Parsed>>
  /** Asks for a typed value: the model is held to the schema, and what does not fit is sent back to it. */
  respondAs<S extends Schema>(schema: S): Promise<SchemaOutput<S>>
}

/** How the oldest messages go when a dialog grows too long for its model. */
export interface ContextLimit {
  /** `drop` removes whole turns from the oldest, `truncate` also shortens the oldest one that still fits in part. */
  readonly type: 'drop' | 'truncate'
  /** Estimated tokens that the messages may have together. The system message and the last turn stay, whatever the limit. */
  readonly maxTokens: number
}

/** A model, and the way to ask it. */
export interface ModelChoice {
  readonly model: string
  readonly invoker: Invoker
}

/** Everything about an agent that config says, resolved at boot. Shared by all calls and immutable. */
export interface AgentPlan extends ModelChoice {
  readonly name: string
  /** Asked in this order when the model fails. */
  readonly fallbacks: readonly ModelChoice[]
  readonly apiType: ApiType
  readonly modelArgs: JsonObject
  readonly systemPrompt: AnyPrompt
  readonly maxExceptionRetry: number
  /** 0 means no limit of its own; {@link interruptStepsMax} always holds. */
  readonly maxInterruptSteps: number
  readonly maxLlmRecall: number
  readonly contextLimit?: ContextLimit
  /** The most that any of its models can cost, where the price is not known and a budget needs one. */
  readonly ceilingPrice?: CeilingPrice
}

/** Whole pico-USD for a token. */
export interface CeilingPrice {
  readonly promptPicoUsd: PicoUsd
  readonly completionPicoUsd: PicoUsd
}

/** However an agent is configured, after this many rounds of tool calls it has to answer. */
export const interruptStepsMax = 100
