/** What is said of whoever comes to the door. What is left out is not looked at. */
export interface DoorSettings {
  /** Requests that an address may send in any 60 seconds. */
  readonly ratePerAddress?: number | undefined
  /** Requests that a key may send in any 60 seconds. */
  readonly ratePerKey?: number | undefined
  /** The mean delay of the event loop, in milliseconds, above which requests are refused. 0: it is not looked at. */
  readonly loopDelayMaxMs?: number | undefined
  /** Whether answers have headers that tell browsers what not to do with them; `hsts` has them stay with https as well. */
  readonly securityHeaders?: 'on' | 'off' | 'hsts' | undefined
  /** The web pages that may use the service from a browser: their origins, or `*` alone for all. */
  readonly corsOrigins?: readonly string[] | undefined
  /**
   * While nobody has to say who he is: the hosts that a service answers for beside those of its own machine, in lower case and without a
   * port. Left out: for no others, or for all where it is `open`.
   */
  readonly allowedHosts?: readonly string[] | undefined
  /** While nobody has to say who he is: whether everybody who reaches the service is answered, or only its own machine. */
  readonly open?: boolean | undefined
}

/** How a server of its own treats connections. */
export interface ListenerSettings {
  /**
   * Who may say, by `X-Forwarded-For`, where a request comes from: addresses and networks, separated by commas. Left out: nobody. A mere
   * number of proxies would let whoever goes past them say what he likes.
   */
  readonly trustProxy?: string | undefined
  /** Connections that may be open at once. Those beyond are closed at once. */
  readonly connectionsMax: number
  /** Connections that one address may have open at once, other than those of `trustProxy`. Those beyond are closed at once. */
  readonly connectionsPerAddress: number
  /** Milliseconds in which the headers of a request have to arrive. */
  readonly headersTimeoutMs: number
  /** Milliseconds in which a whole request has to arrive. */
  readonly requestTimeoutMs: number
}
