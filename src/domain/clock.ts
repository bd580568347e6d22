/** Time and chance come from outside, so that tests hold them still. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number
  /** Waits; rejects with the reason of `signal` as soon as that aborts, and leaves no timer behind. */
  sleep(durationMs: number, signal: AbortSignal): Promise<void>
  /** A number in [0, 1). */
  random(): number
}

/** The longest wait that a timer can count, in ms. One that is set for longer goes off at once. */
export const timerMaxMs = 2 ** 31 - 1

/** Makes ids that sort by time: UUIDv7 (RFC 9562) in lower case. */
export type NewId = () => string

/** The tools that everything which happens is given. */
export interface World {
  readonly clock: Clock
  readonly newId: NewId
}

/** RFC 3339 in UTC with milliseconds. */
export function toRfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
