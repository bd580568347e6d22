/** For how long a key is kept, in ms: from its first use on, and again from its answer on. */
export const keyKeptMs = 24 * 3_600_000
/**
 * For how long the key of a call is held by a process of which nothing is heard, in ms, where several share the storage. Longer than
 * a process is busy with anything at once.
 */
export const keyLeaseMs = 20_000

/** A request that is to be done once, however often it comes. */
export interface KeyedRequest {
  /** SHA-256 of its key, in hex. */
  readonly keyHash: string
  /** SHA-256 of what it asks for, in hex. */
  readonly fingerprint: string
  /** UUIDv7. Names this use of the key; of work that outlives the request it is the id. */
  readonly workId: string
  /**
   * Whether the work has an id and outlives its request. Whoever repeats the request meanwhile, or after a crash, is given the id
   * of the first: starting work under an id that there is does nothing.
   */
  readonly joins: boolean
}

/** One use of a key: whoever has it may settle it. */
export interface KeyUse {
  readonly keyHash: string
  readonly workId: string
}

/** An answer as it is given again. */
export interface KeptAnswer {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * - `begun`: nobody else is at it: do it.
 * - `joined`: do it as well, under the id of the first.
 * - `under-way`: somebody is at it.
 * - `answered`: it was done.
 * - `mismatch`: the key was used for something else.
 */
export type KeyClaim =
  | { readonly kind: 'begun' | 'joined'; readonly workId: string }
  | { readonly kind: 'under-way' | 'mismatch' }
  | { readonly kind: 'answered'; readonly answer: KeptAnswer }

/**
 * Keeps what was asked for under a key, and what the answer was. Several processes may share it.
 *
 * The key of a call is free again as soon as the process that was at it is gone: at the next start, or, where several processes
 * share the storage, once nothing has been heard of it for {@link keyLeaseMs}.
 *
 * Every method rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else; whether a change was made
 * is then unknown, and making it again does no harm. Once a change resolves it survives a kill of the process, where the store
 * survives that at all. Any number of calls may be under way at once. Time is that of the storage, where processes share it.
 */
export interface IdempotencyStore {
  /** Asks for a key. Of many who ask at once exactly one begins. */
  claim(request: KeyedRequest): Promise<KeyClaim>
  /** Keeps the answer. Nothing happens when there is one already, or when the key has gone over to another use. */
  complete(use: KeyUse, answer: KeptAnswer): Promise<void>
  /** Forgets a use that came to nothing, so that the key is free: where others have joined, once all have let go of it. */
  release(use: KeyUse): Promise<void>
  /** Says that this process is alive, for all keys that it holds. Needed only where `isShared`. */
  beat(): Promise<void>
  /** Removes keys whose time is over, `limit` of them at most, and resolves to how many those were. */
  forget(limit: number): Promise<number>
  /** Whether several processes may use it at once. */
  readonly isShared: boolean
}
