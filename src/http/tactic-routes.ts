import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { expectMayCall } from '../domain/caller.ts'
import type { BoundTactic } from '../engine/engine.ts'
import { callerOf } from './access.ts'
import { type CallSchemas, callSchemasOf } from './call-request.ts'
import { name } from './fields.ts'
import { keyHeader } from './idempotency-key.ts'
import { answerKeyed, type Repeats } from './keyed-request.ts'
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
  /** What an `Idempotency-Key` is good for. Left out: it is refused. */
  readonly repeats?: Repeats
  describe(titled: TitledTactic, schemas: CallSchemas): Operation
  answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply, schemas: CallSchemas): Promise<unknown>
}

/**
 * Mounts a POST route for the tactics. Each has a path of its own, so that the document can tell its types. Other names, among
 * them aliases, go one way together, which ends in a 404 that lists the tactics.
 */
export function mountTacticRoute(server: FastifyInstance, route: TacticRoute): void {
  const { suffix, produces, repeats, describe, answer } = route
  const { engine, settings } = server.lllm
  const schemas = callSchemasOf(settings)
  // Tactics have paths of their own, and are counted together: how many there are is up to packages.
  const pattern = `${server.prefix}/:name${suffix}`
  const shared = { pattern, ...(produces === undefined ? {} : { produces }) }
  const respond = (tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply) => {
    expectMayCall(callerOf(request), tactic)
    return request.headers[keyHeader] === undefined
      ? answer(tactic, request, reply, schemas)
      : answerKeyed(request, reply, { tactic, suffix, repeats }, () => answer(tactic, request, reply, schemas))
  }
  for (const titled of titleTactics(engine.tactics)) {
    const operation = describe(titled, schemas)
    const config = { operation: { ...operation, takesKey: repeats !== undefined }, ...shared }
    server.post(tacticPath(titled.tactic) + suffix, { config }, (request, reply) =>
      respond(titled.tactic, request, reply),
    )
  }
  server.post(`/:name${suffix}`, { config: { ...shared, access: 'call' } }, (request, reply) =>
    respond(engine.find(parse(params, request.params, 'path').name), request, reply),
  )
}
