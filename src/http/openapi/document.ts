import type { ErrorCode } from '../../domain/errors.ts'
import { errorCodes } from '../../domain/errors.ts'
import type { HttpApp } from '../http-app.ts'
import { problemKinds, problemMediaType } from '../problem.ts'
import { describeComponents } from './components.ts'
import { componentRef, type Operation, operationTags, type Response } from './operation.ts'
import { describeTactics } from './tactic-schemas.ts'
import { titleTactics } from './tactic-titles.ts'

/** What can go wrong on every route. */
const commonErrors: readonly ErrorCode[] = ['malformed-request', 'not-acceptable', 'internal-error']
const requestIdHeader = { 'x-request-id': { $ref: '#/components/headers/RequestId' } }
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
      schemas: { ...describeComponents(), ...describeTactics(titleTactics(engine.tactics)) },
      parameters: {
        RequestId: {
          name: 'x-request-id',
          in: 'header',
          description: 'An id of your own for this request. The answer and the log carry it.',
          schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$' },
        },
        TraceParent: {
          name: 'traceparent',
          in: 'header',
          description: 'W3C Trace Context. The log carries its trace id.',
          schema: { type: 'string' },
        },
      },
      headers: {
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
export function completeOperation({ errors = [], responses, parameters = [], ...operation }: Operation) {
  const answers = Object.entries(responses).map(([status, response]) => [
    status,
    { ...response, headers: { ...requestIdHeader, ...response.headers } },
  ])
  return {
    ...operation,
    parameters: [
      ...parameters,
      { $ref: '#/components/parameters/RequestId' },
      { $ref: '#/components/parameters/TraceParent' },
    ],
    responses: { ...Object.fromEntries(answers), ...describeProblems([...errors, ...commonErrors]) },
  }
}

/** One response for each status, which names the codes that it can have. */
function describeProblems(codes: readonly ErrorCode[]): Readonly<Record<number, Response>> {
  const byStatus = Map.groupBy(new Set(codes), (code) => problemKinds[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, grouped]) => [
      status,
      {
        description: grouped.map((code) => `\`${code}\`: ${errorCodes[code]}`).join('\n\n'),
        headers: { ...requestIdHeader, ...(status === 429 || status === 503 ? retryAfterHeader : {}) },
        content: { [problemMediaType]: { schema: componentRef('Problem') } },
      },
    ]),
  )
}
