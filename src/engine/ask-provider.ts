import type { ModelChoice } from '../domain/agent.ts'
import { type Cost, costOf, noCost, type Price, type Usage } from '../domain/cost.ts'
import { type ModelReply, type ModelRequest, ProviderError } from '../domain/invoker.ts'
import type { Amounts } from '../domain/limits.ts'
import { type LlmCall, notSent } from '../domain/session.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import { type Asking, modelName, type StepCount } from './asking.ts'
import { startChat } from './chat-span.ts'
import { meterRequest, unmetered } from './metered-request.ts'
import type { CallStart } from './model-record.ts'
import { collectDeltas, estimateUsage, type PartialReply } from './partial-reply.ts'

/** How a request ended. `wasSent` is false where it was kept back on this side until the end. */
export type Asked =
  | { readonly ok: true; readonly reply: ModelReply }
  | {
      readonly ok: false
      readonly error: unknown
      readonly wasSent: boolean
      /** It failed in an earlier attempt of the run: what it is waited for is over. */
      readonly isReplayed?: boolean
    }

/** Is told of a request before it is sent and when it has ended, so that another attempt of the run can know of it. */
export interface RequestKeeper {
  /** Resolves when the request may be sent. */
  begin(start: CallStart, reserved: Amounts): Promise<void>
  /** Resolves when somebody may look at what it came to. */
  end(call: LlmCall, taken: Amounts, asked: Asked): Promise<void>
}

/** Sends one request, and records it with its cost as soon as it has ended, however it ended. */
export async function askProvider(
  asking: Asking,
  choice: ModelChoice,
  step: ModelRequest,
  count: StepCount,
  keeper?: RequestKeeper,
): Promise<Asked> {
  const { world, recorder, announcer, observer, signal } = asking
  const { invoker, model } = choice
  signal.throwIfAborted()
  count.isReplayed = false
  const asked = { ...step, model }
  const metered = asking.meter.isLimited ? await meterRequest(asking, choice, asked) : unmetered(asked)
  const { request, reserved, settle } = metered
  const attempt = count.nextAttempt++
  const id = world.newId()
  const partial = announcer && collectDeltas(announcer.deltas(count.step, attempt))
  const named = { id, step: count.step, attempt, invoker: invoker.name, model: modelName(choice) }
  let startedAtMs = world.clock.now()
  if (keeper !== undefined) {
    try {
      await keeper.begin({ ...named, startedAtMs }, reserved)
      signal.throwIfAborted()
    } catch (error) {
      settle({ usage: null, cost: noCost, error: { code: notSent, message: '' } })
      throw error
    }
    startedAtMs = world.clock.now()
  }
  count.chat ??= startChat(asking.span, choice, request)
  const { chat } = count
  const placed = chat.headers === undefined ? request : { ...request, trace: chat.headers }
  let isHeld = false
  // The time for which a request waits for its turn is not the time that the provider takes for it.
  const onHold = (holds: boolean) => {
    isHeld = holds
    if (!holds) startedAtMs = world.clock.now()
  }
  const record = (ended: Pick<LlmCall, 'response' | 'usage' | 'cost' | 'error'>, asked: Asked) => {
    const taken = settle(ended)
    const sent = { messages: request.messages, args: request.modelArgs, tools: request.tools }
    const durationMs = world.clock.now() - startedAtMs
    const call = { ...named, startedAtMs, durationMs, request: sent, ...ended }
    recorder.llmCall(call)
    chat.add(call)
    observer?.asked(call)
    return keeper?.end(call, taken, asked)
  }
  let answered: Asked
  let kept: Promise<void> | undefined
  try {
    const reply = await untilAborted(() => invoker.invoke(placed, signal, partial?.onDelta, onHold), signal)
    const { usage: told, ...response } = reply
    const wasStreamed = partial !== undefined && !invoker.simulated
    const usage = told ?? (wasStreamed ? estimateUsage(request, reply.message) : null)
    const cost = costOf(usage, priceOf(asking, choice, usage, reply.model))
    answered = { ok: true, reply }
    kept = record({ response, usage, cost, error: null }, answered)
  } catch (error) {
    answered = { ok: false, error, wasSent: !isHeld }
    kept = record(isHeld ? neverSent(error) : failed(asking, choice, request, error, partial), answered)
  }
  if (kept !== undefined) await kept
  return answered
}

function neverSent(error: unknown): Pick<LlmCall, 'response' | 'usage' | 'cost' | 'error'> {
  const message =
    error instanceof ProviderError ? error.message : 'The call was stopped before the turn of this request had come.'
  return { response: null, usage: null, cost: noCost, error: { code: notSent, message } }
}

function failed(
  asking: Asking,
  choice: ModelChoice,
  request: ModelRequest,
  error: unknown,
  partial: PartialReply | undefined,
): Pick<LlmCall, 'response' | 'usage' | 'cost' | 'error'> {
  const { response, usage } = whatWasReceived(asking, choice, request, error, partial)
  return {
    response,
    usage,
    cost: costOfFailure(asking, choice, error, usage),
    error: describeFailure(error, asking.signal),
  }
}

const free: Price = { promptPicoUsd: 0, completionPicoUsd: 0 }

function priceOf(
  { prices, world }: Asking,
  { invoker, model }: ModelChoice,
  usage: Usage | null,
  answeredBy: string | null,
): Price | null {
  if (invoker.simulated) return free
  if (usage === null) return null
  const models = answeredBy === null ? [model] : [answeredBy, model]
  return prices.price(models, usage, world.clock.now(), invoker.apiUrl)
}

/** Of a reply that was cut short, what had come of it is kept, and its tokens are counted where the provider did not. */
function whatWasReceived(
  { signal }: Asking,
  { invoker }: ModelChoice,
  request: ModelRequest,
  error: unknown,
  partial: PartialReply | undefined,
): Pick<LlmCall, 'response' | 'usage'> {
  const failure = error instanceof ProviderError ? error : null
  const message = failure?.partial ?? partial?.message() ?? null
  const response = message && { id: null, model: null, message, finishReason: null }
  const wasCutShort = partial !== undefined && (signal.aborted || failure?.mayBeBilled === true)
  if (invoker.simulated || !wasCutShort) return { response, usage: failure?.usage ?? null }
  return { response, usage: failure?.usage ?? estimateUsage(request, message) }
}

/** A request that was sent and then given up may still be billed. What it cost is unknown, which is not the same as nothing. */
function costOfFailure(asking: Asking, choice: ModelChoice, error: unknown, usage: Usage | null): Cost {
  if (choice.invoker.simulated) return noCost
  const mayBeBilled = !(error instanceof ProviderError) || error.mayBeBilled
  if (usage === null && !mayBeBilled) return noCost
  return costOf(usage, priceOf(asking, choice, usage, null))
}

function describeFailure(error: unknown, signal: AbortSignal) {
  if (signal.aborted) return { code: 'cancelled', message: 'The request was given up, because the call was stopped.' }
  if (error instanceof ProviderError) return { code: error.kind, message: error.message }
  return { code: 'internal-error', message: 'The invoker failed in a way that it should not.' }
}
