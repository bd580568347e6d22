/**
 * Reads the address of a service: where it is, up to the path below which its routes are. It ends without a `/`.
 *
 * @throws TypeError that says what is wrong. It never repeats the address, which may hold what is nobody else's business.
 */
export function readServiceUrl(text: string): string {
  const url = parseUrl(text)
  if (url === null) throw new TypeError('The URL of the service is no URL: it looks like http://localhost:8080.')
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError('The URL of the service has to begin with http:// or https://.')
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('The URL of the service has a user or a password in it: send them in a header instead.')
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError('The URL of the service has a query or a fragment: leave them out.')
  }
  return url.origin + withoutLastSlashes(url.pathname)
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function withoutLastSlashes(path: string): string {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return path.slice(0, end)
}

/** What a header's name is made of (RFC 9110), and what may stand in its value: one line of Latin-1. */
export const headerNamePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
export const headerValuePattern = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Judges headers before anything else does, whose messages would repeat what may be a secret.
 *
 * @throws TypeError that names the header, and never its value.
 */
export function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries<unknown>(headers)) {
    if (!headerNamePattern.test(name)) throw new TypeError('The name of a header has characters that it may not have.')
    if (typeof value !== 'string' || !headerValuePattern.test(value)) {
      throw new TypeError(`The value of the header "${name}" is no text that a header can have.`)
    }
  }
  return headers
}
