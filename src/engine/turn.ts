import { interruptStepsMax, type Reply } from '../domain/agent.ts'
import { estimateTokens, limitContext, startOfLastTurn } from '../domain/context-limit.ts'
import { LllmError } from '../domain/errors.ts'
import type { ModelReply, ModelRequest } from '../domain/invoker.ts'
import type { AssistantMessage, Message } from '../domain/message.ts'
import type { Handlers } from '../domain/prompt.ts'
import { compileTemplate } from '../domain/template.ts'
import { askModel } from './ask-model.ts'
import { type Asking, observeRetry, type StepCount } from './asking.ts'
import type { Contract, Read } from './contract.ts'
import type { Toolbox } from './toolbox.ts'

/** The dialog of a turn, as far as the turn may change it. */
export interface TurnDialog {
  readonly messages: readonly Message[]
  append(...messages: readonly Message[]): void
  /** Real tokens per estimated token, as the provider counted the last time. */
  tokenScale: number
}

export interface Turn extends Asking {
  readonly dialog: TurnDialog
  readonly contract: Contract
  readonly toolbox: Toolbox
  readonly handlers: Handlers
}

export type Delivery = Omit<Reply<unknown>, 'cost'>

/**
 * Runs one `respond()`: ask, run the tools that the reply calls, and ask again, until there is a plain reply that fits
 * the contract. After the allowed rounds of tools the model is told to answer, and no tools are offered any more.
 */
export async function runTurn(turn: Turn): Promise<Delivery> {
  const { plan, dialog, toolbox, handlers } = turn
  const roundsMax = Math.min(plan.maxInterruptSteps || interruptStepsMax, interruptStepsMax)
  const startsAt = startOfLastTurn(dialog.messages)
  for (let step = 0; ; step++) {
    const isFinal = step === roundsMax
    if (isFinal) dialog.append({ role: 'user', content: handlers.finalInterrupt })
    const { reply, parsed } = await askUntilUsable(turn, { step, isFinal, startsAt })
    const { message, finishReason } = reply
    const calls = message.toolCalls ?? []
    if (calls.length === 0) {
      dialog.append(message)
      return { content: message.content, parsed, message, finishReason }
    }
    const results = await toolbox.run(calls, step)
    turn.signal.throwIfAborted()
    // Together: a call without its results would spoil the dialog for whoever goes on with it.
    dialog.append(message, ...results)
  }
}

interface Step {
  readonly step: number
  /** Whether the rounds of tools are used up: no tools are offered, and none are run. */
  readonly isFinal: boolean
  /** The place in the dialog where the turn began. */
  readonly startsAt: number
}

interface Usable {
  readonly reply: ModelReply
  readonly parsed: unknown
}

/** Tells the model what is wrong with its reply until it is right. The failed tries live in a working copy only. */
async function askUntilUsable(turn: Turn, { step, isFinal, startsAt }: Step): Promise<Usable> {
  const { plan, recorder, handlers, span } = turn
  const count: StepCount = { step, nextAttempt: 0, recalls: 0, choice: 0, isReplayed: false }
  let working = shorten(turn, startsAt)
  for (let retry = 0; ; retry++) {
    const answered = await askModel(turn, makeRequest(turn, working, isFinal), count)
    calibrate(turn, working, answered)
    const hasCalls = !isFinal && (answered.message.toolCalls ?? []).length > 0
    if (hasCalls) return { reply: answered, parsed: undefined }
    const reply = withoutToolCalls(answered)
    const read = await readReply(turn.contract, reply)
    if (read.ok) return { reply, parsed: read.parsed }
    if (retry >= plan.maxExceptionRetry) throw unusable(turn, read.error, retry + 1)
    recorder.retry({ kind: 'exception', step, error: read.error, waitedMs: 0 })
    span.event('lllm.retry', () => ({ 'error.type': 'reply-unusable', 'lllm.step': step }))
    observeRetry(turn, 'exception', count)
    const complaint = compileTemplate(handlers.exception).render({ error: read.error })
    // Some providers refuse a conversation that holds an empty reply.
    const failedTry = reply.message.content === '' ? [] : [reply.message]
    working = [...working, ...failedTry, { role: 'user', content: complaint }]
  }
}

function shorten({ plan, dialog }: Turn, lastTurnStart: number): readonly Message[] {
  const { messages, tokenScale: scale } = dialog
  return plan.contextLimit === undefined
    ? messages
    : limitContext(messages, plan.contextLimit, { scale, lastTurnStart })
}

function makeRequest({ plan, contract, toolbox }: Turn, messages: readonly Message[], isFinal: boolean): ModelRequest {
  return {
    agent: plan.name,
    model: plan.model,
    apiType: plan.apiType,
    messages,
    modelArgs: plan.modelArgs,
    tools: isFinal ? [] : toolbox.specs,
    ...(contract.format === undefined ? {} : { format: contract.format }),
  }
}

/** A tool call that nobody will answer must not stay in a conversation: providers refuse it. */
function withoutToolCalls(reply: ModelReply): ModelReply {
  const { toolCalls: _, ...message }: AssistantMessage = reply.message
  return { ...reply, message }
}

async function readReply({ read }: Contract, { message, finishReason }: ModelReply): Promise<Read> {
  if (message.refusal !== undefined && message.content === '') {
    return { ok: false, error: 'You declined to answer.' }
  }
  const result = await read(message.content)
  if (result.ok || finishReason !== 'length') return result
  return { ok: false, error: `${result.error} It was cut off, because it was too long.` }
}

function unusable({ plan }: Turn, error: string, tries: number): LllmError {
  const times = tries === 1 ? 'once' : `${tries} times`
  return new LllmError(
    'reply-unusable',
    `The model "${plan.model}" of the agent "${plan.name}" replied ${times} in a way that cannot be used. The last time: ${error}`,
  )
}

const tokenScaleBounds = { min: 0.25, max: 4 } as const

function calibrate({ plan, dialog }: Turn, messages: readonly Message[], { usage }: ModelReply) {
  if (plan.contextLimit === undefined || usage === null || usage.promptTokens === 0) return
  const scale = usage.promptTokens / Math.max(1, estimateTokens(messages))
  dialog.tokenScale = Math.min(tokenScaleBounds.max, Math.max(tokenScaleBounds.min, scale))
}
