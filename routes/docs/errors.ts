import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { LllmError } from '../../src/domain/errors.ts'
import { isErrorCode, renderErrorPage } from '../../src/http/error-page.ts'
import type { Operation } from '../../src/http/openapi/operation.ts'
import { pathParameter } from '../../src/http/openapi/parameters.ts'
import { parse } from '../../src/http/parse.ts'

const params = z.object({ code: z.string() })

const operation: Operation = {
  operationId: 'getErrorPage',
  access: 'public',
  summary: 'What an error code means',
  tags: ['Operating'],
  parameters: [pathParameter('code', 'The code of a problem.')],
  responses: { 200: { description: 'A page about it.', content: { 'text/html': { schema: { type: 'string' } } } } },
  errors: ['route-not-found'],
}

export default async function errors(server: FastifyInstance) {
  server.get('/errors/:code', { config: { operation, produces: ['text/html'] } }, async (request, reply) => {
    const { code } = parse(params, request.params, 'path')
    if (!isErrorCode(code)) throw new LllmError('route-not-found', 'There is no error with this code.')
    return reply.type('text/html; charset=utf-8').send(renderErrorPage(code, server.lllm.prefix))
  })
}
