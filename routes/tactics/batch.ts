import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BoundTactic } from '../../src/engine/engine.ts'
import { toBatchAnswer } from '../../src/http/batch-answer.ts'
import { createCallSchemas } from '../../src/http/call-request.ts'
import { name } from '../../src/http/fields.ts'
import { describeBatch } from '../../src/http/openapi/tactic-operations.ts'
import { titleTactics } from '../../src/http/openapi/tactic-titles.ts'
import { parse } from '../../src/http/parse.ts'
import { prepareTasks } from '../../src/http/prepare-tasks.ts'
import { runCall } from '../../src/http/run-call.ts'

const params = z.strictObject({ name })

export default async function batch(server: FastifyInstance) {
  const { engine, settings } = server.lllm
  const schemas = createCallSchemas(settings)

  async function answer(tactic: BoundTactic, request: FastifyRequest, reply: FastifyReply) {
    request.story.tactic = tactic.name
    const asked = parse(schemas.batch, request.body, 'body')
    const calls = await prepareTasks(engine, tactic, asked.tasks, asked.config)
    const { tags = {}, metadata = {}, timeout_ms: timeoutMs, max_workers: maxWorkers, fail_fast: failFast } = asked
    const items = await runCall(request, reply, (signal) =>
      Array.fromAsync(engine.batch(calls, { signal, timeoutMs, tags, metadata, maxWorkers, failFast })),
    )
    if (items.some(({ outcome }) => outcome?.session.simulated)) reply.header('lllm-simulated', 'true')
    return toBatchAnswer(items, asked.return_sessions, request.id)
  }

  for (const titled of titleTactics(engine.tactics)) {
    const config = { operation: describeBatch(titled, schemas) }
    server.post(`/${titled.tactic.name}/batch`, { config }, (request, reply) => answer(titled.tactic, request, reply))
  }
  server.post('/:name/batch', async (request, reply) =>
    answer(engine.find(parse(params, request.params, 'path').name), request, reply),
  )
}
