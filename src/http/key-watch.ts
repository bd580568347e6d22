import type { FastifyRequest } from 'fastify'
import { isLllmError, type LllmError } from '../domain/errors.ts'
import { openStopScope } from '../domain/stop.ts'
import { callerOf, readCredential } from './access.ts'

/** How often it is asked whether the key of a long answer still holds, in ms. */
const askAgainMs = 15_000

/** Asks again, for as long as an answer takes, whether whoever asked for it may still have it. */
export interface KeyWatch {
  /** Why he may not; undefined: he may, as far as is known. */
  readonly refusal: LllmError | undefined
  /** Asks now. Rejects with the refusal. */
  judge(): Promise<void>
  /** Asks no more. */
  leave(): void
}

/** A call that ends when it is stopped, and when its key holds no more. */
export interface KeyedCall extends Pick<KeyWatch, 'refusal' | 'leave'> {
  readonly signal: AbortSignal
}

const nobody: KeyWatch = { refusal: undefined, judge: async () => {}, leave: () => {} }

/** Watches over the key or the token of whoever reads. `onRefused` is called once, when it is known that it holds no more. */
export function watchKey(request: FastifyRequest, onRefused: () => void): KeyWatch {
  const { authenticator, world } = request.server.lllm
  const { authorization } = request.headers
  if (authenticator === undefined || callerOf(request).keyId === null) return nobody
  const credential = readCredential(authorization)
  const ended = new AbortController()
  let refusal: LllmError | undefined

  async function ask() {
    try {
      await authenticator?.authenticate(credential)
    } catch (error) {
      // Whatever else goes wrong says nothing of the key.
      if (refusal !== undefined || !isLllmError(error) || error.code !== 'unauthenticated') return
      refusal = error
      ended.abort()
      onRefused()
    }
  }

  async function askOn() {
    // Earlier for the first time, so that those who came together do not all ask at once.
    for (let waitMs = askAgainMs * (1 - world.clock.random() / 2); ; waitMs = askAgainMs) {
      await world.clock.sleep(waitMs, ended.signal)
      await ask()
    }
  }

  askOn().catch(() => {})
  return {
    get refusal() {
      return refusal
    },
    async judge() {
      if (refusal === undefined) await ask()
      if (refusal !== undefined) throw refusal
    },
    leave: () => ended.abort(),
  }
}

/** A token is not asked about: it was good when the call began, and the call has an end of its own soon. */
export function whileKeyHolds(request: FastifyRequest, signal: AbortSignal): KeyedCall {
  if (callerOf(request).isRevocable !== true) return { signal, refusal: undefined, leave: () => {} }
  const scope = openStopScope([signal])
  const watch = watchKey(request, () => scope.stop('cancelled'))
  return {
    signal: scope.signal,
    get refusal() {
      return watch.refusal
    },
    leave() {
      watch.leave()
      scope.dispose()
    },
  }
}
