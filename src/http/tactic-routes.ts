import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BoundTactic } from '../engine/engine.ts'
import { type CallSchemas, createCallSchemas } from './call-request.ts'
import { name } from './fields.ts'
import type { Operation } from './openapi/operation.ts'
import { type TitledTactic, titleTactics } from './openapi/tactic-titles.ts'
import { parse } from './parse.ts'
import { tacticPath } from './tactic-path.ts'

const params = z.strictObject({ name })

/** A way to have tactics work. */
export interface TacticRoute {
  /** What comes after the name of the tactic: `/batch`. */
  readonly suffix: string
  /** The media types that a success can have. Left out: JSON. */
  readonly produces?: readonly string[]
  describe(titled: TitledTactic, schemas: CallSchemas): Operation
  answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply, schemas: CallSchemas): Promise<unknown>
}

/**
 * Mounts a POST route for the tactics. Each has a path of its own, so that the document can tell its types. Other names, among
 * them aliases, go one way together, which ends in a 404 that lists the tactics.
 */
export function mountTacticRoute(server: FastifyInstance, { suffix, produces, describe, answer }: TacticRoute): void {
  const { engine, settings } = server.lllm
  const schemas = createCallSchemas(settings)
  const shared = produces === undefined ? {} : { produces }
  for (const titled of titleTactics(engine.tactics)) {
    const config = { operation: describe(titled, schemas), ...shared }
    server.post(tacticPath(titled.tactic) + suffix, { config }, (request, reply) =>
      answer(titled.tactic, request, reply, schemas),
    )
  }
  server.post(`/:name${suffix}`, { config: shared }, async (request, reply) =>
    answer(engine.find(parse(params, request.params, 'path').name), request, reply, schemas),
  )
}
