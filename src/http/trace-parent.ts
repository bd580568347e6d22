// W3C Trace Context: version, trace id, parent id, flags; a later version may append more.
const traceParent = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/

/** The trace id of a `traceparent` header, or undefined where there is no sound one. */
export function traceIdOf(header: string | readonly string[] | undefined): string | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined
  const match = traceParent.exec(header)
  if (match === null) return undefined
  const [, version, traceId, more] = match
  return version === '00' && more !== undefined ? undefined : traceId
}
