/**
 * What was in the way: `network`: there is no connection, or it was cut; `protocol`: what came is not what this service says,
 * or broke off; `timeout`: the service did not answer in time; `left`: whoever read a stream stopped before its end.
 */
export type FaultKind = 'network' | 'protocol' | 'timeout' | 'left'

/** No answer of the service came, or none that can be understood. */
export class LllmFault extends Error {
  readonly kind: FaultKind
  /** The status of the answer, where one had begun. */
  readonly status: number | undefined
  /** Whether the request may have reached the service: then a call may have begun, and may have cost something. */
  readonly mayHaveRun: boolean

  constructor(
    kind: FaultKind,
    message: string,
    details: { readonly status?: number; readonly mayHaveRun?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.name = 'LllmFault'
    this.kind = kind
    this.status = details.status
    this.mayHaveRun = details.mayHaveRun ?? true
  }
}

/** What Node says of a connection that never came about. Browsers do not tell. */
const neverConnected: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** What `fetch`, or the reading of a body, rejected with. */
export function networkFault(error: unknown, status?: number): LllmFault {
  if (error instanceof LllmFault) return error
  const mayHaveRun = !neverConnected.has(codeOf(error))
  const message = mayHaveRun
    ? 'The connection to the service was cut before its answer was complete.'
    : 'There is no connection to the service.'
  return new LllmFault('network', message, { mayHaveRun, cause: error, ...(status === undefined ? {} : { status }) })
}

function codeOf(error: unknown): unknown {
  const { cause } = Object(error) as { readonly cause?: { readonly code?: unknown } }
  return cause?.code
}
