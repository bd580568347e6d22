import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Authenticator } from '../domain/authenticator.ts'
import { type Caller, expectScope, lacking, mayCallSome, operator } from '../domain/caller.ts'
import { LllmError } from '../domain/errors.ts'
import type { TenantHouse } from './http-app.ts'

/**
 * What a request takes to be answered: nothing (`public`), a key of any kind (`caller`), one that may call some tactic (`call`: which
 * one, the route asks by itself), or a scope.
 */
export type Access = 'public' | 'caller' | 'call' | 'sessions:read' | 'costs:read' | 'admin'

/** Who asks, as was found out before the route. */
export function callerOf({ lllmStory: { caller } }: FastifyRequest): Caller {
  if (caller === undefined) throw new LllmError('internal-error', 'A route was reached without knowing who asks.')
  return caller
}

/** Everything that belongs to the tenant of whoever asks. */
export function houseOf(request: FastifyRequest): TenantHouse {
  return request.server.lllm.ofTenant(callerOf(request).tenant)
}

/** Lets in whoever may come in. A hook that waits only where somebody has to say who he is, because it comes before every call. */
export function admitCaller(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  const admitting = admit(request, reply)
  if (admitting === undefined) done()
  else admitting.then(() => done(), done)
}

/**
 * Finds out who asks, whether the route is for him, and whether he asks too often. Undefined: nobody has to say who he is.
 *
 * Rejects with an LllmError `unauthenticated`, `forbidden`, `rate-limited`, `misdirected-request`, `origin-forbidden`, `store-unavailable` or
 * `keys-unavailable`.
 */
function admit(request: FastifyRequest, reply: FastifyReply): Promise<void> | undefined {
  const { authenticator, door } = request.server.lllm
  const access = accessOf(request)
  if (authenticator !== undefined && access !== 'public') return identify(request, reply, access, authenticator)
  request.lllmStory.caller = operator
  // Who asks whether the service is alive may call it what he likes: he is told nothing else.
  const isOnlyAlive = access === 'public' && request.routeOptions.config.isProbe === true
  const fault = isOnlyAlive ? undefined : door.openGuard(request.raw)
  return fault && refuseIfOpen(fault, authenticator)
}

/** What is for everybody is so under any name, and for all pages, once there is a key: names of tactics, and nothing that was called. */
async function refuseIfOpen(fault: LllmError, authenticator: Authenticator | undefined): Promise<void> {
  if (authenticator === undefined || (await authenticator.isOpen())) throw fault
}

async function identify(
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
  authenticator: Authenticator,
): Promise<void> {
  const caller = (await authenticator.isOpen()) ? greet(request) : await identifyCaller(request, authenticator)
  request.lllmStory.caller = caller
  await request.server.lllm.door.admitCaller(reply, caller)
  if (access === 'call') {
    if (!mayCallSome(caller)) throw lacking('tactics:<name>:call')
  } else if (access !== 'caller' && access !== 'public') expectScope(caller, access)
}

/** Whoever comes to a service that is open may do everything. */
function greet({ raw, server }: FastifyRequest): Caller {
  const fault = server.lllm.door.openGuard(raw)
  if (fault !== undefined) throw fault
  return operator
}

function identifyCaller(request: FastifyRequest, authenticator: Authenticator): Promise<Caller> {
  const credential = readCredential(request.headers.authorization)
  const authenticate = () => authenticator.authenticate(credential)
  if (authenticator.isSelfContained?.(credential) === true) return authenticate()
  const { failures } = request.server.lllm.door
  if (authenticator.isAtHand?.(credential) === true) return failures.count(request, authenticate)
  return failures.guard(request, credential, authenticate)
}

/** What no route says is for nobody but the operator; what there is not, is for everybody not to find. */
function accessOf({ routeOptions, is404 }: FastifyRequest): Access {
  if (is404) return 'public'
  return routeOptions.config.operation?.access ?? routeOptions.config.access ?? 'admin'
}

const bearer = /^Bearer +([A-Za-z0-9._~+/=-]{1,4096})$/i

/** @throws LllmError `unauthenticated` */
export function readCredential(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw new LllmError('unauthenticated', 'There is no key. Send one as "Authorization: Bearer <key>".')
  }
  const credential = bearer.exec(authorization)?.[1]
  if (credential !== undefined) return credential
  throw new LllmError('unauthenticated', 'The header Authorization is not of the form "Bearer <key>".')
}
