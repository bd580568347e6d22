import type { Caller } from './caller.ts'

/** Finds out who asks. */
export interface Authenticator {
  /**
   * Whether nobody has to say who he is: there is no key yet, and no other way to have one. It may take a few seconds until the first
   * key is noticed that another process makes.
   *
   * Rejects with an LllmError `store-unavailable` while that cannot be known.
   */
  isOpen(): Promise<boolean>
  /**
   * Says whose a key or a token is.
   *
   * Rejects with an LllmError `unauthenticated` when it is nobody's, and with `store-unavailable` or `keys-unavailable` when that cannot be
   * found out now.
   */
  authenticate(credential: string): Promise<Caller>
  /**
   * Whether a credential says itself whose it is, as a signed token does, so that nothing is looked up for it: nobody has to be kept from
   * trying others. Left out: none does.
   */
  isSelfContained?(credential: string): boolean
  /** Whether it is known already what a credential has to be, so that whoever tries one has nothing looked up. Left out: it is of none. */
  isAtHand?(credential: string): boolean
}

/** Knows whether keys still hold that something was asked for with. */
export interface KeyJudge {
  /**
   * Why what was asked for with a key may not be begun any more, as what one says after “the key”: `was revoked`. Undefined: the key holds,
   * or has made room for another one that does.
   *
   * Rejects with an LllmError `store-unavailable`.
   */
  refusalOf(keyId: string): Promise<string | undefined>
}
