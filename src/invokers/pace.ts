import type { Clock } from '../domain/clock.ts'
import { ProviderError } from '../domain/invoker.ts'
import { Circuit } from './circuit.ts'
import { Gate } from './gate.ts'
import { PaceAlarm } from './pace-alarm.ts'
import { PaceWindow } from './pace-window.ts'

/** What may be asked of one model at one provider. */
export interface PaceLimits {
  /** Requests under way at once. */
  readonly concurrency: number
  /** Requests in any 60 seconds. Left out: no limit. */
  readonly requestsPerMinute?: number | undefined
  /** Tokens of prompts and completions in any 60 seconds. Left out: no limit. */
  readonly tokensPerMinute?: number | undefined
}

/** Requests that may wait for their turn. Those beyond are refused. */
export const waitingMax = 10_000
/**
 * A provider that wants to be left alone for longer is not waited for in the queue: who asks knows how much time there is, and
 * may have another model.
 */
export const gateWaitMaxMs = 10_000

/** The right to send one request. It is given back by {@link Pace.leave}. */
export interface Pass {
  readonly tokens: number
  readonly tokensCell: number
  readonly isProbe: boolean
}

/** How a request ended, as far as it tells something of the provider. */
export type Ending =
  | { readonly kind: 'answered'; readonly tokens: number | null }
  /** It wants to be left alone, for a time that it may have said. */
  | { readonly kind: 'refused'; readonly retryAfterMs: number | null }
  /** As a dead provider fails. */
  | { readonly kind: 'dead' }
  /** An error that an able provider gives, of one request. */
  | { readonly kind: 'failed'; readonly tokens: number | null }
  /** It was given up before anything was known. */
  | { readonly kind: 'unknown' }

interface Waiting {
  readonly tokens: number
  admit(pass: Pass): void
  refuse(error: ProviderError): void
}

/** The requests to one model: lets them through in the order in which they came, as fast as limits and provider allow. */
export class Pace {
  readonly #limits: PaceLimits
  readonly #clock: Clock
  readonly #gate: Gate
  readonly #circuit: Circuit
  readonly #requests: PaceWindow | undefined
  readonly #tokens: PaceWindow | undefined
  readonly #waiting = new Set<Waiting>()
  readonly #alarm: PaceAlarm
  #underWay = 0

  constructor(limits: PaceLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
    this.#gate = new Gate(clock)
    this.#circuit = new Circuit(clock)
    this.#alarm = new PaceAlarm(clock, () => this.#advance())
    const { requestsPerMinute, tokensPerMinute } = limits
    this.#requests = requestsPerMinute === undefined ? undefined : new PaceWindow(requestsPerMinute)
    this.#tokens = tokensPerMinute === undefined ? undefined : new PaceWindow(tokensPerMinute)
  }

  /** Whether nobody is under way or waits. */
  get isIdle(): boolean {
    return this.#underWay === 0 && this.#waiting.size === 0
  }

  /** The pass for a request, if it may be sent at once. @throws ProviderError where waiting for one would be of no use. */
  tryEnter(tokens: number): Pass | null {
    const nowMs = this.#clock.now()
    const refusal = this.#refusal(nowMs)
    if (refusal !== null) throw refusal
    if (this.#waiting.size === 0 && this.#waitMs(tokens, nowMs) === 0) return this.#begin(tokens, nowMs)
    if (this.#waiting.size < waitingMax) return null
    throw new ProviderError('rate-limited', `${waitingMax} requests wait for this model already.`)
  }

  /** Waits for the pass. Rejects with the reason of the signal, or with a ProviderError as soon as waiting is of no use. */
  enter(tokens: number, signal: AbortSignal): Promise<Pass> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiting)
        reject(signal.reason)
        this.#advance()
      }
      const waiting: Waiting = {
        tokens,
        admit(pass) {
          signal.removeEventListener('abort', onAbort)
          resolve(pass)
        },
        refuse(error) {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
      this.#advance()
    })
  }

  leave(pass: Pass, ending: Ending): void {
    const nowMs = this.#clock.now()
    this.#underWay--
    this.#learn(pass, ending, nowMs)
    if ('tokens' in ending && ending.tokens !== null) {
      this.#tokens?.correct(pass.tokensCell, ending.tokens - pass.tokens, nowMs)
    }
    this.#advance()
  }

  /** Nobody is let through any more. */
  close(): void {
    for (const waiting of this.#waiting)
      waiting.refuse(new ProviderError('unreachable', 'The invoker has been closed.'))
    this.#waiting.clear()
    this.#advance()
  }

  #learn({ isProbe }: Pass, ending: Ending, nowMs: number): void {
    const { kind } = ending
    if (kind === 'unknown') return
    if (kind === 'dead') this.#circuit.failed(isProbe, nowMs)
    // A provider that comes back is not run down by all who waited for it.
    else if (this.#circuit.answered(isProbe)) this.#gate.open(nowMs)
    if (kind === 'answered') this.#gate.answered()
    if (kind === 'refused') this.#gate.close(ending.retryAfterMs, nowMs)
  }

  /** Lets through whoever may go, and sees to it that the next one is let through in time. */
  #advance(): void {
    const nowMs = this.#clock.now()
    this.#alarm.set(this.#letThrough(nowMs), nowMs)
  }

  /** @returns Milliseconds until there is more to do; Infinity: there is nothing to wait for but others. */
  #letThrough(nowMs: number): number {
    for (const waiting of this.#waiting) {
      const refusal = this.#refusal(nowMs)
      const waitMs = refusal === null ? this.#waitMs(waiting.tokens, nowMs) : 0
      if (waitMs > 0) return waitMs
      this.#waiting.delete(waiting)
      if (refusal === null) waiting.admit(this.#begin(waiting.tokens, nowMs))
      else waiting.refuse(refusal)
    }
    return Infinity
  }

  #refusal(nowMs: number): ProviderError | null {
    if (!this.#circuit.isPassable(nowMs)) {
      const message = 'The provider is down: the circuit is open, and nothing is sent until it has recovered.'
      return new ProviderError('unreachable', message, { retryAfterMs: this.#circuit.retryAfterMs(nowMs) })
    }
    const closedMs = this.#gate.closedMs(nowMs)
    if (closedMs <= gateWaitMaxMs) return null
    const message = 'The provider limits the rate of requests, and has asked to be left alone.'
    return new ProviderError('rate-limited', message, { retryAfterMs: Math.ceil(closedMs) })
  }

  /** Milliseconds until the next request may be sent; Infinity: until another one has ended. */
  #waitMs(tokens: number, nowMs: number): number {
    if (this.#underWay >= this.#limits.concurrency) return Infinity
    const requestMs = this.#requests?.waitMs(1, nowMs) ?? 0
    const tokensMs = this.#tokens?.waitMs(tokens, nowMs) ?? 0
    return Math.max(this.#gate.waitMs(nowMs), requestMs, tokensMs)
  }

  #begin(tokens: number, nowMs: number): Pass {
    this.#underWay++
    this.#gate.begin(nowMs)
    this.#requests?.take(1, nowMs)
    const tokensCell = this.#tokens?.take(tokens, nowMs) ?? 0
    return { tokens, tokensCell, isProbe: this.#circuit.begin(nowMs) }
  }
}
