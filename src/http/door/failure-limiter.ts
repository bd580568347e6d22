import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Clock } from '../../domain/clock.ts'
import { isLllmError, LllmError } from '../../domain/errors.ts'
import { clientAddress } from './client-address.ts'
import { namesMax } from './request-rates.ts'

/** Keys of each address that may be looked up at once, in each process, without one of them being somebody's. */
export const failuresAtOnceMax = 20
/** And how many more each second, and so many wait for that. Nobody guesses a key at this rate, and it keeps nobody out for long. */
export const failuresPerSecond = 5
/** By then an address has all of its places again. */
const forgivenAfterMs = (1 + failuresAtOnceMax / failuresPerSecond) * 1_000
/** Requests of one address that may wait for others of it to be looked up. */
const waitingMax = 10_000
const retryAfterMs = 1_000

/**
 * Keeps whoever guesses from having the store asked without end. A good key uses nothing up: where many come from one address, as behind a
 * proxy, one who guesses must not lock the others out.
 */
export interface FailureLimiter {
  /**
   * Has a key looked up, and resolves or rejects as that does. All that bring the same one meanwhile share what comes of it.
   *
   * Rejects with an LllmError `rate-limited` before anything is looked up, when too many of the address were nobody's.
   */
  guard<Found>(from: Origin, key: string, lookUp: () => Promise<Found>): Promise<Found>
  /**
   * Judges a key for which nothing is looked up, so that good ones never wait; those that are nobody's count all the same. Resolves or
   * rejects as `judge` does, or rejects with an LllmError `rate-limited` in the place of a refusal when there were too many.
   */
  count<Found>(from: Origin, judge: () => Promise<Found>): Promise<Found>
}

/** A request, as far as it says where it comes from. */
type Origin = Pick<FastifyRequest, 'ip' | 'raw'>

/** What one address may still have looked up. */
interface Places {
  /** As of `atMs`. Every lookup takes one, and gives it back if the key is somebody's. Below 0: taken by those who wait. */
  left: number
  atMs: number
  /** Lookups that may give one back. */
  underWay: number
  /** Requests that wait for that. */
  readonly waiting: (() => void)[]
}

export function createFailureLimiter(clock: Pick<Clock, 'now' | 'sleep'>): FailureLimiter {
  /** Lookups by the hashes of their keys, of which nothing is kept here. */
  const asking = new Map<string, Promise<unknown>>()
  /** In the order of their last use. */
  const addresses = new Map<string, Places>()

  function placesOf(address: string): Places {
    const nowMs = clock.now()
    const places = addresses.get(address) ?? { left: failuresAtOnceMax, atMs: nowMs, underWay: 0, waiting: [] }
    refill(places, nowMs)
    addresses.delete(address)
    addresses.set(address, places)
    for (const [oldest, { atMs, underWay }] of addresses) {
      const isForgiven = underWay === 0 && nowMs - atMs > forgivenAfterMs
      if (!isForgiven && addresses.size <= namesMax) break
      addresses.delete(oldest)
    }
    return places
  }

  async function lookUpInTurn<Found>(from: Origin, lookUp: () => Promise<Found>): Promise<Found> {
    const places = placesOf(clientAddress(from))
    await enter(places, clock)
    let isNobodys = false
    try {
      return await lookUp()
    } catch (error) {
      isNobodys = isRefusal(error)
      throw error
    } finally {
      leave(places, isNobodys)
    }
  }

  return {
    async count<Found>(from: Origin, judge: () => Promise<Found>): Promise<Found> {
      try {
        return await judge()
      } catch (error) {
        if (!isRefusal(error)) throw error
        const places = placesOf(clientAddress(from))
        if (places.left < 1) throw tooMany()
        places.left -= 1
        throw error
      }
    },
    guard<Found>(from: Origin, key: string, lookUp: () => Promise<Found>): Promise<Found> {
      const print = hash('sha256', key, 'base64')
      const asked = asking.get(print) as Promise<Found> | undefined
      if (asked !== undefined) return asked
      const answer = lookUpInTurn(from, lookUp).finally(() => asking.delete(print))
      asking.set(print, answer)
      return answer
    },
  }
}

/** Takes a place, which another request may have to give back first, or time to bring. */
async function enter(places: Places, clock: Pick<Clock, 'now' | 'sleep'>): Promise<void> {
  while (places.left < 1 && places.underWay > 0 && places.waiting.length < waitingMax) {
    await new Promise<void>((resolve) => places.waiting.push(resolve))
    refill(places, clock.now())
  }
  if (places.left < 1 - failuresPerSecond) throw tooMany()
  places.left -= 1
  if (places.left < 0) await clock.sleep((-places.left / failuresPerSecond) * 1_000, new AbortController().signal)
  places.underWay += 1
}

function leave(places: Places, isNobodys: boolean) {
  places.underWay -= 1
  if (!isNobodys) places.left += 1
  // Where nothing can be given back any more, all of them are to hear so.
  const woken = places.underWay === 0 ? places.waiting.splice(0) : places.waiting.splice(0, isNobodys ? 0 : 1)
  for (const wake of woken) wake()
}

function refill(places: Places, nowMs: number) {
  const passedMs = Math.max(0, nowMs - places.atMs)
  places.left = Math.min(failuresAtOnceMax - places.underWay, places.left + (passedMs / 1_000) * failuresPerSecond)
  places.atMs = nowMs
}

function tooMany(): LllmError {
  const message = 'Too many keys from this address were refused; it may try again soon.'
  return new LllmError('rate-limited', message, { retryAfterMs })
}

function isRefusal(error: unknown): boolean {
  return isLllmError(error) && error.code === 'unauthenticated'
}
