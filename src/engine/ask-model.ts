import type { AgentPlan } from '../domain/agent.ts'
import type { Clock, World } from '../domain/clock.ts'
import { type Cost, costOf, noCost, type Price, type Usage } from '../domain/cost.ts'
import { type ErrorCode, LllmError } from '../domain/errors.ts'
import { type ModelReply, type ModelRequest, type PriceBook, ProviderError } from '../domain/invoker.ts'
import type { LlmCall } from '../domain/session.ts'
import type { AgentAnnouncer } from './announce.ts'
import { collectDeltas, estimateUsage, type PartialReply } from './partial-reply.ts'
import type { AgentCallRecorder } from './session-recorder.ts'
import { untilAborted } from './until-aborted.ts'

/** What every model call of an agent has in common. */
export interface Asking {
  readonly plan: AgentPlan
  readonly world: World
  readonly prices: PriceBook
  readonly recorder: AgentCallRecorder
  /** Left undefined when nobody listens: then replies are not streamed. */
  readonly announcer: AgentAnnouncer | undefined
  readonly signal: AbortSignal
  /** When the call runs out of its time, in ms since 1970; Infinity: never. */
  readonly deadlineAtMs: number
}

/** Where in a `respond()` a request belongs. Both counts go over all tries of the step, whatever their reason. */
export interface StepCount {
  readonly step: number
  nextAttempt: number
  recalls: number
}

/**
 * Waits between recalls, unless the provider says how long: full jitter below a ceiling that doubles from the first.
 * A provider that wants more than `longestMs` is not waited for.
 */
export const recallDelay = { firstMs: 500, ceilingMs: 20_000, longestMs: 600_000 } as const

/**
 * Asks the model until the provider answers; the recalls of a step are at most `maxLlmRecall`. Each request is recorded
 * with its cost as soon as it has ended, however it ended. A wait that the call would not outlive is not begun.
 *
 * @throws LllmError `provider-failed`, `provider-rejected`, `provider-rate-limited`; the signal's reason once that aborts.
 */
export async function askModel(asking: Asking, request: ModelRequest, count: StepCount): Promise<ModelReply> {
  const { plan, world, recorder, signal } = asking
  for (let tries = 1; ; tries++) {
    try {
      return await askOnce(asking, request, count)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ProviderError)) throw error
      const waitedMs = error.retryAfterMs ?? jitteredDelay(count.recalls, world.clock)
      const isUsedUp = count.recalls >= plan.maxLlmRecall || error.kind === 'rejected'
      if (isUsedUp || isInVain(asking, waitedMs)) throw toLllmError(error, plan, tries)
      await world.clock.sleep(waitedMs, signal)
      recorder.retry({ kind: 'recall', step: count.step, error: error.message, waitedMs })
      count.recalls++
    }
  }
}

function isInVain({ world, deadlineAtMs }: Asking, waitMs: number): boolean {
  return waitMs > recallDelay.longestMs || world.clock.now() + waitMs >= deadlineAtMs
}

function jitteredDelay(recall: number, clock: Clock): number {
  return Math.round(clock.random() * Math.min(recallDelay.ceilingMs, recallDelay.firstMs * 2 ** recall))
}

async function askOnce(asking: Asking, request: ModelRequest, count: StepCount): Promise<ModelReply> {
  const { plan, world, recorder, announcer, signal } = asking
  signal.throwIfAborted()
  const startedAtMs = world.clock.now()
  const attempt = count.nextAttempt++
  const partial = announcer && collectDeltas(announcer.deltas(count.step, attempt))
  const record = (ended: Pick<LlmCall, 'response' | 'usage' | 'cost' | 'error'>) =>
    recorder.llmCall({
      id: world.newId(),
      step: count.step,
      attempt,
      invoker: plan.invoker.name,
      model: modelName(plan),
      startedAtMs,
      durationMs: world.clock.now() - startedAtMs,
      request: { messages: request.messages, args: request.modelArgs, tools: request.tools },
      ...ended,
    })
  try {
    const reply = await untilAborted(() => plan.invoker.invoke(request, signal, partial?.onDelta), signal)
    const { usage, ...response } = reply
    record({ response, usage, cost: costOf(usage, priceOf(asking, usage, reply.model)), error: null })
    return reply
  } catch (error) {
    const { response, usage } = whatWasReceived(asking, request, error, partial)
    record({ response, usage, cost: costOfFailure(asking, error, usage), error: describeFailure(error, signal) })
    throw error
  }
}

/** A simulated model is named as such wherever models are named. */
function modelName({ invoker, model }: AgentPlan): string {
  return invoker.simulated ? `simulated/${model}` : model
}

const free: Price = { promptPicoUsd: 0, completionPicoUsd: 0 }

function priceOf({ plan, prices, world }: Asking, usage: Usage | null, answeredBy: string | null): Price | null {
  if (plan.invoker.simulated) return free
  if (usage === null) return null
  const models = answeredBy === null ? [plan.model] : [answeredBy, plan.model]
  return prices.price(models, usage, world.clock.now(), plan.invoker.apiUrl)
}

/** Of a reply that was cut short, what had come of it is kept, and its tokens are counted where the provider did not. */
function whatWasReceived(
  { plan, signal }: Asking,
  request: ModelRequest,
  error: unknown,
  partial: PartialReply | undefined,
): Pick<LlmCall, 'response' | 'usage'> {
  const failure = error instanceof ProviderError ? error : null
  const message = failure?.partial ?? partial?.message() ?? null
  const response = message && { id: null, model: null, message, finishReason: null }
  const wasCutShort = partial !== undefined && (signal.aborted || message !== null)
  if (plan.invoker.simulated || !wasCutShort) return { response, usage: failure?.usage ?? null }
  return { response, usage: failure?.usage ?? estimateUsage(request, message) }
}

/** A request that was sent and then given up may still be billed. What it cost is unknown, which is not the same as nothing. */
function costOfFailure(asking: Asking, error: unknown, usage: Usage | null): Cost {
  if (asking.plan.invoker.simulated) return noCost
  const mayBeBilled = !(error instanceof ProviderError) || error.mayBeBilled
  if (usage === null && !mayBeBilled) return noCost
  return costOf(usage, priceOf(asking, usage, null))
}

function describeFailure(error: unknown, signal: AbortSignal) {
  if (signal.aborted) return { code: 'cancelled', message: 'The request was given up, because the call was stopped.' }
  if (error instanceof ProviderError) return { code: error.kind, message: error.message }
  return { code: 'internal-error', message: 'The invoker failed in a way that it should not.' }
}

const failureCodes: Readonly<Record<ProviderError['kind'], ErrorCode>> = {
  unreachable: 'provider-failed',
  failed: 'provider-failed',
  garbled: 'provider-failed',
  rejected: 'provider-rejected',
  'rate-limited': 'provider-rate-limited',
}

function toLllmError(error: ProviderError, { name, model }: AgentPlan, tries: number): LllmError {
  const times = tries === 1 ? 'once' : `${tries} times`
  return new LllmError(
    failureCodes[error.kind],
    `The agent "${name}" asked the model "${model}" ${times}. ${error.message}`,
    error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs },
    { cause: error },
  )
}
