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

/** The last second that was told, and how it begins. */
let told = { second: Number.NaN, text: '' }

/** RFC 3339 in UTC with milliseconds. */
export function toRfc3339(timeMs: number): string {
  const second = Math.floor(timeMs / 1_000)
  const ms = timeMs - second * 1_000
  if (!Number.isInteger(ms)) return new Date(timeMs).toISOString()
  // What a session tells lies close together.
  if (second !== told.second) told = { second, text: new Date(second * 1_000).toISOString().slice(0, -'000Z'.length) }
  return `${told.text}${String(ms).padStart(3, '0')}Z`
}
