import type { KeyLimits, Scope } from './caller.ts'

/** A key as it is kept: what it takes to know it again, never the key itself. Times are in ms since 1970. */
export interface ApiKey {
  /** Is a part of the key, by which it is found. */
  readonly id: string
  readonly tenant: string
  /** What its owner calls it. */
  readonly name: string
  /** SHA-256 of the whole key, in hex. A key is 256 bits of chance, so that a slow hash would protect nothing more. */
  readonly hash: string
  readonly scopes: readonly Scope[]
  readonly limits: KeyLimits
  readonly createdAtMs: number
  /** Null: never. */
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
  /** The id of the key that came in its place last; null: none did. */
  readonly replacedBy: string | null
}

/**
 * Keeps the keys of all tenants. Several processes may share it.
 *
 * Every method rejects with an LllmError `store-unavailable` when the storage fails, and with nothing else.
 */
export interface KeyStore {
  find(id: string): Promise<ApiKey | undefined>
  /** All keys, also those that hold no more, oldest first; 10,000 at most. */
  list(): Promise<readonly ApiKey[]>
  add(key: ApiKey): Promise<void>
  /** Adds a key in the place of another, which holds until then at the longest. False: there is no such key, or it was revoked; nothing was added. */
  replace(id: string, untilMs: number, by: ApiKey): Promise<boolean>
  /** From then on it does not hold. False: there is no such key. */
  revoke(id: string, atMs: number): Promise<boolean>
  /** Whether there was never any key: those that hold no more count. */
  isEmpty(): Promise<boolean>
}
