import type { ErrorCode } from '../../domain/errors.ts'
import { errorCodes } from '../../domain/errors.ts'
import type { Access } from '../access.ts'
import type { HttpApp } from '../http-app.ts'
import { keyLengthMax } from '../idempotency-key.ts'
import { hasRetryAfter, problemKinds, problemMediaType } from '../problem.ts'
import { describeComponents } from './components.ts'
import { componentRef, type Operation, operationTags, type Response } from './operation.ts'
import { describeTactics } from './tactic-schemas.ts'
import { titleTactics } from './tactic-titles.ts'

/** What can go wrong on every route. */
const commonErrors: readonly ErrorCode[] = [
  'malformed-request',
  'misdirected-request',
  'origin-forbidden',
  'not-acceptable',
  'rate-limited',
  'overloaded',
  'internal-error',
]
/** What can go wrong where somebody has to say who he is. */
const accessErrors: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'keys-unavailable', 'store-unavailable']
const keyScheme = 'key'
const requestIdHeader = { 'x-request-id': { $ref: '#/components/headers/RequestId' } }
/** What can go wrong where a key is taken, and because of it. */
const keyErrors: readonly ErrorCode[] = [
  'invalid-parameter',
  'idempotency-conflict',
  'idempotency-mismatch',
  'store-unavailable',
]
const replayedHeader = { 'idempotency-replayed': { $ref: '#/components/headers/IdempotencyReplayed' } }
const rateLimitHeader = { ratelimit: { $ref: '#/components/headers/RateLimit' } }
const retryAfterHeader = { 'retry-after': { $ref: '#/components/headers/RetryAfter' } }

/** The document without its paths, to which each route adds its own. */
export function describeService({ engine, info }: Pick<HttpApp, 'engine' | 'info'>, prefix: string) {
  return {
    openapi: '3.1.1',
    info: {
      title: info.name,
      version: info.version,
      description: 'Tactics over HTTP: multi-agent LLM programs as typed endpoints, with sessions and exact costs.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: prefix || '/', description: 'This service.' }],
    security: [],
    tags: Object.entries(operationTags).map(([name, description]) => ({ name, description })),
    components: {
      securitySchemes: {
        [keyScheme]: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A key that `lllm keys create` made, or a token of the service’s issuer. Not needed where the service is open.',
        },
      },
      schemas: { ...describeComponents(), ...describeTactics(titleTactics(engine.tactics)) },
      parameters: {
        RequestId: {
          name: 'x-request-id',
          in: 'header',
          description: 'An id of your own for this request. The answer and the log carry it.',
          schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
        },
        IdempotencyKey: {
          name: 'idempotency-key',
          in: 'header',
          description:
            'Names this request, so that it is done once, however often it is sent: for a day the same key with the same body has the same answer.',
          schema: { type: 'string', minLength: 1, maxLength: keyLengthMax },
        },
        TraceParent: {
          name: 'traceparent',
          in: 'header',
          description: 'W3C Trace Context. The log carries its trace id.',
          schema: { type: 'string' },
        },
      },
      headers: {
        IdempotencyReplayed: {
          description: 'Present when the answer is that of an earlier request with the same key.',
          schema: { type: 'string', const: 'true' },
        },
        Location: { description: 'Where it can be looked at.', schema: { type: 'string' } },
        RateLimit: {
          description:
            'What is left of each limit, and in how many seconds there is more (draft-ietf-httpapi-ratelimit-headers-10). Every answer has it where there is a limit.',
          schema: { type: 'string' },
        },
        RequestId: { description: 'Quote it when you ask about this request.', schema: { type: 'string' } },
        RetryAfter: { description: 'Seconds until it may work.', schema: { type: 'integer', minimum: 1 } },
        Simulated: {
          description: 'Present when the model was simulated: the replies are made up.',
          schema: { type: 'string', const: 'true' },
        },
      },
    },
  }
}

/** Completes what a route says of itself by what holds for all of them. */
export function completeOperation(described: Operation) {
  const { access, tactic, errors = [], responses, parameters = [], takesKey, ...operation } = described
  const keyed = takesKey === true
  const isPublic = access === 'public'
  const headers = { ...requestIdHeader, ...(keyed ? replayedHeader : {}) }
  const answers = Object.entries(responses).map(([status, response]) => [
    status,
    { ...response, headers: { ...headers, ...response.headers } },
  ])
  return {
    ...operation,
    ...(isPublic ? {} : { security: [{ [keyScheme]: scopesOf(access, tactic) }, {}] }),
    parameters: [
      ...parameters,
      ...(keyed ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
      { $ref: '#/components/parameters/RequestId' },
      { $ref: '#/components/parameters/TraceParent' },
    ],
    responses: {
      ...Object.fromEntries(answers),
      ...describeProblems(
        [...errors, ...(keyed ? keyErrors : []), ...(isPublic ? [] : accessErrors), ...commonErrors],
        headers,
      ),
    },
  }
}

/** What it takes, as OpenAPI 3.1 names roles for schemes other than OAuth. Whoever may do everything may do this as well. */
function scopesOf(access: Access, tactic = '<name>'): readonly string[] {
  if (access === 'public' || access === 'caller') return []
  return [access === 'call' ? `tactics:${tactic}:call` : access]
}

/** One response for each status, which names the codes that it can have. */
function describeProblems(
  codes: readonly ErrorCode[],
  headers: Response['headers'],
): Readonly<Record<number, Response>> {
  const byStatus = Map.groupBy(new Set(codes), (code) => problemKinds[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, grouped]) => [
      status,
      {
        description: grouped.map((code) => `\`${code}\`: ${errorCodes[code]}`).join('\n\n'),
        headers: {
          ...headers,
          ...(grouped.some(hasRetryAfter) ? retryAfterHeader : {}),
          ...(grouped.includes('rate-limited') ? rateLimitHeader : {}),
        },
        content: { [problemMediaType]: { schema: componentRef('Problem') } },
      },
    ]),
  )
}
