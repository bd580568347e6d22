import { timerMaxMs } from './clock.ts'
import { type ErrorCode, LllmError } from './errors.ts'
import type { StopReason } from './session.ts'

const brand = Symbol.for('lllm.stopped')

/** The reason that a signal is aborted with: what ended the call, in the words of the session record. */
export class Stopped extends Error {
  readonly endReason: StopReason
  readonly [brand] = true

  constructor(endReason: StopReason) {
    super(`The call was stopped: ${endReason}.`)
    this.name = 'Stopped'
    this.endReason = endReason
  }
}

/** What a stop is told as, by what caused it. */
export const stopCodes: Readonly<Record<StopReason, ErrorCode>> = {
  'client-closed': 'client-closed-request',
  deadline: 'deadline-exceeded',
  shutdown: 'draining',
  cancelled: 'cancelled',
}

/** Why a signal was aborted. A reason that is none of ours means that somebody cancelled, or an `AbortSignal.timeout`. */
export function endReasonOf({ reason }: AbortSignal): StopReason {
  if (isStopped(reason)) return reason.endReason
  return reason instanceof Error && reason.name === 'TimeoutError' ? 'deadline' : 'cancelled'
}

/** The error that a stopped call ends with. Whatever else is thrown while it is being stopped is only the echo of that. */
export function stopError(signal: AbortSignal): LllmError {
  const endReason = endReasonOf(signal)
  return new LllmError(stopCodes[endReason], `The call was stopped: ${endReason}.`)
}

/** Holds for reasons of another copy of this module as well, which `instanceof` does not. */
function isStopped(reason: unknown): reason is Stopped {
  return typeof reason === 'object' && reason !== null && brand in reason
}

/** A signal that follows its parents until it is disposed of, and can be stopped by itself. */
export interface StopScope {
  readonly signal: AbortSignal
  stop(reason: StopReason): void
  /** Lets go of the parents and of the timer. The signal no longer aborts. */
  dispose(): void
}

/** Made once: every call is stopped at its end, and an error takes a while to make, because of its stack. */
const reasons: Readonly<Record<StopReason, Stopped>> = {
  'client-closed': new Stopped('client-closed'),
  deadline: new Stopped('deadline'),
  shutdown: new Stopped('shutdown'),
  cancelled: new Stopped('cancelled'),
}

/**
 * Makes a signal that aborts with its parents or after `timeoutMs`. Other than `AbortSignal.any`, it holds on to nothing
 * once it is disposed of, however long its parents live.
 */
export function openStopScope(parents: readonly AbortSignal[], timeoutMs?: number): StopScope {
  return new FollowingScope(parents, timeoutMs)
}

/** A class, as each call has two of them for as long as it waits: closures would keep several times as much. */
class FollowingScope implements StopScope, EventListenerObject {
  readonly #controller = new AbortController()
  readonly #parents: readonly AbortSignal[]
  readonly #timer: NodeJS.Timeout | undefined

  constructor(parents: readonly AbortSignal[], timeoutMs: number | undefined) {
    this.#parents = parents
    for (const parent of parents) {
      if (parent.aborted) this.#controller.abort(parent.reason)
      else parent.addEventListener('abort', this)
    }
    if (timeoutMs === undefined) return
    this.#timer = setTimeout(stopLate, Math.min(timeoutMs, timerMaxMs), this)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  stop(reason: StopReason): void {
    this.#controller.abort(reasons[reason])
  }

  /** A parent has aborted. */
  handleEvent({ target }: Event): void {
    this.#controller.abort((target as AbortSignal).reason)
  }

  dispose(): void {
    clearTimeout(this.#timer)
    for (const parent of this.#parents) parent.removeEventListener('abort', this)
  }
}

function stopLate(scope: StopScope) {
  scope.stop('deadline')
}
