import type { Clock } from '../domain/clock.ts'
import { type ModelLoad, ProviderError } from '../domain/invoker.ts'
import { Circuit } from './circuit.ts'
import { Gate } from './gate.ts'
import { PaceAlarm } from './pace-alarm.ts'
import type { PaceLimits } from './pace-limits.ts'
import { PaceShares, type SharedRate } from './pace-shares.ts'
import { PaceWindow } from './pace-window.ts'
import type { Ending, Pass } from './pass.ts'

/** Requests that may wait for their turn. Those beyond are refused. */
export const waitingMax = 10_000
/**
 * A provider that wants to be left alone for longer is not waited for in the queue: who asks knows how much time there is, and
 * may have another model.
 */
export const gateWaitMaxMs = 10_000

interface Waiting {
  readonly tokens: number
  admit(pass: Pass): void
  refuse(error: ProviderError): void
}

/**
 * The requests to one model: lets them through in the order in which they came, as fast as limits and provider allow. Where other
 * processes ask it as well, a request whose turn has come here still has to have its share of the limits of a minute.
 */
export class Pace {
  readonly #limits: PaceLimits
  readonly #clock: Clock
  readonly #gate: Gate
  readonly #circuit: Circuit
  readonly #requests: PaceWindow | undefined
  readonly #tokens: PaceWindow | undefined
  /** Counts in place of the windows. */
  readonly #shares: PaceShares<Waiting> | undefined
  readonly #waiting = new Set<Waiting>()
  readonly #alarm: PaceAlarm
  #underWay = 0

  constructor(limits: PaceLimits, clock: Clock, shared?: SharedRate) {
    this.#limits = limits
    this.#clock = clock
    this.#gate = new Gate(clock)
    this.#circuit = new Circuit(clock)
    this.#alarm = new PaceAlarm(clock, () => this.#advance())
    if (shared !== undefined) {
      this.#shares = new PaceShares(shared, clock, {
        waiting: this.#waiting,
        onChange: () => this.#advance(),
        onOutage: (refusal) => this.#refuseAll(refusal),
      })
      return
    }
    const { requestsPerMinute, tokensPerMinute } = limits
    this.#requests = requestsPerMinute === undefined ? undefined : new PaceWindow(requestsPerMinute)
    this.#tokens = tokensPerMinute === undefined ? undefined : new PaceWindow(tokensPerMinute)
  }

  /** How many are under way and wait, and whether the provider is taken for dead. */
  get load(): Omit<ModelLoad, 'model'> {
    return { underWay: this.#underWay, waiting: this.#waiting.size, isResting: this.#circuit.isOpen }
  }

  /** The pass for a request, if it may be sent at once. @throws ProviderError where waiting for one would be of no use. */
  tryEnter(tokens: number): Pass | null {
    const nowMs = this.#clock.now()
    const refusal = this.#refusal(nowMs)
    if (refusal !== null) throw refusal
    const isFirst = this.#waiting.size === 0 && this.#shares === undefined
    if (isFirst && this.#waitMs(tokens, nowMs) === 0) return this.#begin(tokens, nowMs)
    if (this.#waiting.size < waitingMax) return null
    throw new ProviderError('rate-limited', `${waitingMax} requests wait for this model already.`)
  }

  /** Waits for the pass. Rejects with the reason of the signal, or with a ProviderError as soon as waiting is of no use. */
  enter(tokens: number, signal: AbortSignal): Promise<Pass> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiting)
        this.#shares?.giveBack(waiting)
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
      const difference = ending.tokens - pass.tokens
      this.#tokens?.correct(pass.tokensCell, difference, nowMs)
      this.#shares?.correctTokens(pass.tokensCell, difference)
    }
    this.#advance()
  }

  /** Nobody is let through any more. */
  close(): void {
    this.#refuseAll(new ProviderError('unreachable', 'The invoker has been closed.'))
    this.#advance()
  }

  #refuseAll(error: ProviderError): void {
    for (const waiting of this.#waiting) {
      waiting.refuse(error)
      this.#shares?.giveBack(waiting)
    }
    this.#waiting.clear()
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
    const waitMs = this.#letThrough(nowMs)
    const askMs = this.#shares?.ask(waitMs === 0 ? this.#sendable(nowMs) : 0, nowMs) ?? Infinity
    this.#alarm.set(waitMs === 0 ? askMs : Math.min(waitMs, askMs), nowMs)
  }

  /** @returns Milliseconds until there is more to do; 0: only the next one's share is missing; Infinity: others have to end. */
  #letThrough(nowMs: number): number {
    for (const waiting of this.#waiting) {
      const refusal = this.#refusal(nowMs)
      if (refusal !== null) {
        this.#waiting.delete(waiting)
        this.#shares?.giveBack(waiting)
        waiting.refuse(refusal)
        continue
      }
      const waitMs = this.#waitMs(waiting.tokens, nowMs)
      if (waitMs > 0) return waitMs
      const cell = this.#shares?.use(waiting, nowMs)
      if (this.#shares !== undefined && cell === undefined) return 0
      this.#waiting.delete(waiting)
      waiting.admit(this.#begin(waiting.tokens, nowMs, cell))
    }
    return Infinity
  }

  /** How many could be sent now if they had their shares. After a complaint of the provider they go one by one. */
  #sendable(nowMs: number): number {
    return this.#gate.isLimiting(nowMs) ? 1 : this.#limits.concurrency - this.#underWay
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

  #begin(tokens: number, nowMs: number, sharedCell = 0): Pass {
    this.#underWay++
    this.#gate.begin(nowMs)
    this.#requests?.take(1, nowMs)
    const tokensCell = this.#tokens?.take(tokens, nowMs) ?? sharedCell
    return { tokens, tokensCell, isProbe: this.#circuit.begin(nowMs) }
  }
}
