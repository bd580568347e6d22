import { createHash } from 'node:crypto'
import type { Clock } from '../domain/clock.ts'
import { estimateTokens } from '../domain/context-limit.ts'
import type { Usage } from '../domain/cost.ts'
import { type Invoker, type ModelRequest, ProviderError } from '../domain/invoker.ts'
import type { SharedRates } from '../domain/shared-rates.ts'
import { Pace } from './pace.ts'
import type { PaceLimits } from './pace-limits.ts'
import type { SharedRate } from './pace-shares.ts'
import type { Ending } from './pass.ts'

/** Finds what counts for all processes, if this is one of several. By the time of the first request, it has been opened. */
export type FindSharedRates = () => SharedRates | undefined

/** Models whose pace is kept. Beyond this, that of one which nobody asks at the moment is forgotten. */
const modelsMax = 1_000

/**
 * Asks a provider with good manners, each of its models by itself: within limits, not before the time that it says in a
 * `Retry-After`, and not at all while it is dead. A request waits until it may be sent, or is rejected where that would take long.
 * With `sharedRates` the limits of a minute hold for all processes that have them; it is asked with the first request to a model.
 */
export function paced(
  invoker: Invoker,
  limits: PaceLimits,
  clock: Clock,
  sharedRates: FindSharedRates = () => undefined,
): Invoker {
  const paces = new Map<string, Pace>()
  const countsTokens = limits.tokensPerMinute !== undefined

  function paceOf(model: string): Pace {
    const known = paces.get(model)
    if (known !== undefined) return known
    if (paces.size >= modelsMax) forgetOne(paces)
    const pace = new Pace(limits, clock, sharedRate(invoker, model, limits, sharedRates()))
    paces.set(model, pace)
    return pace
  }

  return {
    ...invoker,
    async invoke(request, signal, onDelta, onHold) {
      signal.throwIfAborted()
      const pace = paceOf(request.model)
      const tokens = countsTokens ? estimateRequest(request) : 0
      onHold?.(true)
      const pass = pace.tryEnter(tokens) ?? (await pace.enter(tokens, signal))
      try {
        signal.throwIfAborted()
        onHold?.(false)
        const reply = await invoker.invoke(request, signal, onDelta)
        pace.leave(pass, { kind: 'answered', tokens: countTokens(reply.usage) })
        return reply
      } catch (error) {
        pace.leave(pass, endingOf(error))
        throw error
      }
    },
    loads: () => [...paces].map(([model, pace]) => ({ model, ...pace.load })),
    async close() {
      for (const pace of paces.values()) pace.close()
      await invoker.close()
    },
  }
}

function sharedRate(
  { name, apiUrl }: Invoker,
  model: string,
  { requestsPerMinute: requests, tokensPerMinute: tokens }: PaceLimits,
  rates: SharedRates | undefined,
): SharedRate | undefined {
  if (rates === undefined || (requests ?? tokens) === undefined) return undefined
  const host = apiUrl !== undefined && URL.canParse(apiUrl) ? new URL(apiUrl).host : ''
  // Names of models may be long.
  const rate = createHash('sha256')
    .update(JSON.stringify([name, host, model]))
    .digest('base64url')
  return { rates, rate, limits: { requests, tokens } }
}

function forgetOne(paces: Map<string, Pace>): void {
  for (const [model, pace] of paces) {
    const { underWay, waiting } = pace.load
    if (underWay + waiting > 0) continue
    paces.delete(model)
    return
  }
}

/** What the reply may have at most counts in full, as providers count it themselves. Where nothing is said, it counts when it is there. */
function estimateRequest({ messages, modelArgs }: ModelRequest): number {
  const completionMax = completionLimits.map((key) => modelArgs[key]).find(Number.isFinite)
  const tokens = estimateTokens(messages) + Math.max(0, Number(completionMax ?? 0))
  return Math.min(Number.MAX_SAFE_INTEGER, Math.ceil(tokens))
}

const completionLimits = ['max_completion_tokens', 'max_tokens', 'max_output_tokens']

function countTokens(usage: Usage | null): number | null {
  return usage === null ? null : usage.promptTokens + usage.completionTokens
}

function endingOf(error: unknown): Ending {
  if (!(error instanceof ProviderError)) return { kind: 'unknown' }
  const { kind, status, retryAfterMs, usage } = error
  const wantsPeace = kind === 'rate-limited' || (kind === 'failed' && retryAfterMs !== null)
  if (wantsPeace) return { kind: 'refused', retryAfterMs }
  const isDead = kind === 'unreachable' || (kind === 'failed' && status !== null && status >= 500)
  return isDead ? { kind: 'dead' } : { kind: 'failed', tokens: countTokens(usage) }
}
