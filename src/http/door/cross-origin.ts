import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { LllmError } from '../../domain/errors.ts'
import type { DoorSettings } from './door-settings.ts'

/** What a page may read of an answer, beyond what all pages may. */
const exposedHeaders = [
  'location',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'x-request-id',
  'idempotency-replayed',
  'lllm-simulated',
]
/** For how long a browser need not ask again, in seconds. */
const preflightMaxAge = 600

/**
 * Lets pages of other origins use the service from a browser. Any page may, where all are named: then without the cookies of its user.
 *
 * @throws LllmError `invalid-settings` where an application around the service says that already, for all of its routes.
 */
export async function allowOrigins(server: FastifyInstance, { corsOrigins = [] }: DoorSettings): Promise<void> {
  if (corsOrigins.length === 0) return
  if (server.hasRequestDecorator('corsPreflightEnabled')) {
    throw new LllmError(
      'invalid-settings',
      'The application has @fastify/cors for all of its routes: name the origins there, and leave corsOrigins out.',
    )
  }
  const isForAll = corsOrigins.includes('*')
  await server.register(cors, {
    origin: isForAll ? '*' : [...corsOrigins],
    credentials: !isForAll,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: preflightMaxAge,
    // It would refuse in words of its own.
    strictPreflight: false,
  })
}
