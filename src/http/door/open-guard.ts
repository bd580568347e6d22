import type { IncomingMessage } from 'node:http'
import { LllmError } from '../../domain/errors.ts'
import type { DoorSettings } from './door-settings.ts'

/** What a machine calls itself. No page of somebody else has a name of these. */
const ownHosts = ['localhost', '127.0.0.1', '[::1]'] as const

type Message = Pick<IncomingMessage, 'method' | 'headers'> & {
  readonly socket: { readonly localAddress?: string | undefined }
}

/**
 * Says why a service that asks nobody who he is does not answer a request; undefined: it does.
 *
 * Browsers take pages of anybody to any service that their user reaches: as pages of another origin, or under a name of the page's own that
 * leads here (DNS rebinding), and then as one of the service's own. Where callers need a key neither matters: such a page has none.
 */
export type OpenGuard = (request: Message) => LllmError | undefined

export function createOpenGuard({ open, allowedHosts, corsOrigins = [] }: DoorSettings): OpenGuard {
  if (open === undefined && allowedHosts === undefined) return () => undefined
  const isForAnyHost = open === true && allowedHosts === undefined
  const hosts: ReadonlySet<string> = new Set([...ownHosts, ...(allowedHosts ?? [])])
  const origins: ReadonlySet<string> = new Set(corsOrigins)
  /** The host that was found to be one of them the last time: nearly all requests name the same. */
  let known: string | undefined
  return (request) => {
    if (open === false && !isOwnAddress(request.socket.localAddress)) return toStranger()
    const { host } = request.headers
    if (!isForAnyHost && host !== undefined && host !== known) {
      if (!hosts.has(hostName(host))) return toMisdirected(hosts)
      known = host
    }
    return origins.has('*') || !isOfForeignPage(request, origins) ? undefined : toForeignPage()
  }
}

/** What comes by no network at all has no address. */
function isOwnAddress(address: string | undefined): boolean {
  return address === undefined || address === '::1' || /^(?:::ffff:)?127\./i.test(address)
}

/** `localhost:8080` → `localhost`, `[::1]:8080` → `[::1]`, `Service.example.` → `service.example` */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase()
}

/** Whoever is no browser sends none of these headers. Browsers send the later ones only to hosts that they trust, such as localhost. */
function isOfForeignPage({ method, headers }: Message, origins: ReadonlySet<string>): boolean {
  const { host, origin, 'sec-fetch-site': site } = headers
  if (origin !== undefined && origins.has(origin)) return false
  if (site === undefined) return origin !== undefined && !isOriginOf(host, origin)
  if (site === 'same-origin' || site === 'none') return false
  // The other page does not see what its link leads to, and what is only looked at changes nothing.
  const isLink = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return !(isLink && (method === 'GET' || method === 'HEAD'))
}

/** Whatever the scheme: TLS ends elsewhere. A port that is the usual one may be told or not. */
function isOriginOf(host: string | undefined, origin: string): boolean {
  const [, scheme, place] = /^(https?):\/\/(.+)$/.exec(origin) ?? []
  const usual = scheme === 'https' ? /:443$/ : /:80$/
  return host !== undefined && place === host.toLowerCase().replace(usual, '')
}

function toStranger(): LllmError {
  const message =
    'There is no key yet, so that only this machine is answered. Make one with "lllm keys create", or set LLLM_OPEN=true if everybody who reaches this service may call it.'
  return new LllmError('unauthenticated', message)
}

function toMisdirected(hosts: ReadonlySet<string>): LllmError {
  const message = `Without a key, this service answers for the hosts ${[...hosts].join(', ')} only. LLLM_ALLOWED_HOSTS names others.`
  return new LllmError('misdirected-request', message)
}

function toForeignPage(): LllmError {
  const message =
    'Without a key, this service answers no pages of other origins than its own, unless LLLM_CORS_ORIGINS names them.'
  return new LllmError('origin-forbidden', message)
}
