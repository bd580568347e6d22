import type { AgentPlan } from '../domain/agent.ts'
import type { Clock } from '../domain/clock.ts'
import { type ErrorCode, LllmError } from '../domain/errors.ts'
import { type ModelReply, type ModelRequest, ProviderError } from '../domain/invoker.ts'
import { askOnce } from './ask-once.ts'
import { type Asking, chosenModel, observeRetry, type StepCount } from './asking.ts'

/**
 * Waits between recalls, unless the provider says how long: full jitter below a ceiling that doubles from the first.
 * A provider that wants more than `longestMs` is not waited for.
 */
export const recallDelay = { firstMs: 500, ceilingMs: 20_000, longestMs: 600_000 } as const

/**
 * Asks the model until the provider answers; the recalls of a step are at most `maxLlmRecall` for each model. When they are
 * used up, or would be of no use, the next model is asked instead, if there is one. A wait that the call would not outlive is not
 * begun.
 *
 * @throws LllmError `provider-failed`, `provider-rejected`, `provider-rate-limited`, all of the last model that was asked;
 *   `budget-exceeded`, `unpriced-model`; the signal's reason once that aborts.
 */
export async function askModel(asking: Asking, request: ModelRequest, count: StepCount): Promise<ModelReply> {
  const { plan, signal } = asking
  try {
    for (let tries = 1; ; tries++) {
      const asked = await askOnce(asking, chosenModel(plan, count), request, count)
      if (asked.ok) return asked.reply
      signal.throwIfAborted()
      if (!(asked.error instanceof ProviderError)) throw asked.error
      await beforeNextTry(asking, count, { ...asked, error: asked.error }, tries)
    }
  } finally {
    endChat(count)
  }
}

interface FailedTry {
  readonly error: ProviderError
  readonly wasSent: boolean
  readonly isReplayed?: boolean
}

/** Turns to the next model, or waits until the same one may be asked again. Rejects when there is no more to be tried. */
async function beforeNextTry(asking: Asking, count: StepCount, { error, ...asked }: FailedTry, tries: number) {
  const { plan, world, recorder, signal, span } = asking
  const waitedMs = error.retryAfterMs ?? jitteredDelay(count.recalls, world.clock)
  const isUsedUp = count.recalls >= plan.maxLlmRecall || error.kind === 'rejected' || isInVain(asking, waitedMs)
  const hasFallback = count.choice < plan.fallbacks.length
  const { step } = count
  if (hasFallback && (isUsedUp || !asked.wasSent)) {
    recorder.retry({ kind: 'fallback', step, error: error.message, waitedMs: 0 })
    observeRetry(asking, 'fallback', count)
    endChat(count)
    span.event('lllm.fallback', () => ({ 'error.type': error.kind, 'lllm.step': step }))
    count.choice++
    count.recalls = 0
  } else if (isUsedUp) {
    throw toLllmError(error, plan, count, tries)
  } else {
    if (asked.isReplayed !== true) await world.clock.sleep(waitedMs, signal)
    recorder.retry({ kind: 'recall', step, error: error.message, waitedMs })
    count.chat?.recalled(error.kind, waitedMs)
    observeRetry(asking, 'recall', count)
    count.recalls++
  }
}

function endChat(count: StepCount) {
  count.chat?.end()
  count.chat = undefined
}

function isInVain({ world, deadlineAtMs }: Asking, waitMs: number): boolean {
  return waitMs > recallDelay.longestMs || world.clock.now() + waitMs >= deadlineAtMs
}

function jitteredDelay(recall: number, clock: Clock): number {
  return Math.round(clock.random() * Math.min(recallDelay.ceilingMs, recallDelay.firstMs * 2 ** recall))
}

const failureCodes: Readonly<Record<ProviderError['kind'], ErrorCode>> = {
  unreachable: 'provider-failed',
  failed: 'provider-failed',
  garbled: 'provider-failed',
  rejected: 'provider-rejected',
  'rate-limited': 'provider-rate-limited',
}

function toLllmError(error: ProviderError, plan: AgentPlan, { choice }: StepCount, tries: number): LllmError {
  const models = [plan, ...plan.fallbacks].slice(0, choice + 1).map(({ model }) => `"${model}"`)
  const whom = `the model${models.length === 1 ? '' : 's'} ${models.join(', ')}`
  const times = tries === 1 ? 'once' : `${tries} times`
  return new LllmError(
    failureCodes[error.kind],
    `The agent "${plan.name}" asked ${whom} ${times}. ${error.message}`,
    error.retryAfterMs === null ? {} : { retryAfterMs: error.retryAfterMs },
    { cause: error },
  )
}
