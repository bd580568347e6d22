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
