import type { FastifyReply, FastifyRequest } from 'fastify'
import { LllmError } from '../domain/errors.ts'
import type { KeptAnswer, KeyUse } from '../domain/idempotency-store.ts'
import type { Session } from '../domain/session.ts'
import type { StoreContent } from '../domain/store-content.ts'
import type { BoundTactic } from '../engine/engine.ts'
import { callerOf } from './access.ts'
import { toErrorLog } from './error-log.ts'
import { fingerprintOf, hashKey, keyHeader, readIdempotencyKey, unfitKey } from './idempotency-key.ts'
import { problemMediaType, toProblem } from './problem.ts'
import { originOf, pathOf } from './problem-reply.ts'

/** Bytes of an answer that is kept to be given again. */
export const keptBytesMax = 8 * 1024 * 1024
export const replayedHeader = 'idempotency-replayed'
/** What is given again of an answer beside its status and body. */
const keptHeaders = ['content-type', 'location', 'lllm-simulated', 'retry-after'] as const

/**
 * What happens when a request comes again under its key while the first is under way, or when the service was killed before that had
 * its answer.
 *
 * - `conflict`: it is refused as `idempotency-conflict` while that is under way. After a kill it is done anew.
 * - `join`: it is done as well, under the id of the first, which it takes from {@link workIdOf}. That has to be harmless.
 */
export type Repeats = 'conflict' | 'join'

/** What a request with a key is for. */
export interface KeyedRoute {
  readonly tactic: BoundTactic
  /** What comes after the name of the tactic. */
  readonly suffix: string
  /** Undefined: it takes no key. */
  readonly repeats: Repeats | undefined
}

/** A request that has a key, until it is answered. */
export interface KeyedRequestStory {
  readonly use: KeyUse
  /** Whether something came of it that is worth its answer. */
  hasBegun: boolean
  /** Whether the client went away meanwhile, by which it cancelled. */
  wasLeft: boolean
  /** Whether work may have been stored under the id of this use. */
  isHandedOn: boolean
  /** Whether its answer holds texts that may not be kept. */
  isPrivate: boolean
}

/**
 * Answers a request that has an `Idempotency-Key`: with the answer that it had before, or by `answer`, whose answer is then kept
 * where work had begun, failed or not. What is refused before that leaves the key free.
 *
 * Rejects with an LllmError `invalid-parameter`, `idempotency-conflict`, `idempotency-mismatch`, `store-unavailable`, or as `answer`.
 */
export async function answerKeyed(
  request: FastifyRequest,
  reply: FastifyReply,
  { tactic, suffix, repeats }: KeyedRoute,
  answer: () => Promise<unknown>,
): Promise<unknown> {
  const key = readIdempotencyKey(request.headers[keyHeader])
  if (repeats === undefined) {
    throw unfitKey(
      'cannot be given to a stream, which cannot be sent again: start a run with it, and follow its events',
    )
  }
  const { answers, world } = request.server.lllm
  request.lllmStory.tactic = tactic.address
  const asked = {
    keyHash: hashKey(callerOf(request).tenant, key),
    fingerprint: fingerprintOf(request, tactic.id, suffix),
    workId: world.newId(),
    joins: repeats === 'join',
  }
  const claim = await answers.claim(asked)
  switch (claim.kind) {
    case 'answered':
      return replay(reply, claim.answer)
    case 'mismatch':
      throw new LllmError(
        'idempotency-mismatch',
        'The Idempotency-Key was used for another request within a day. Give each request a key of its own.',
      )
    case 'under-way':
      throw new LllmError('idempotency-conflict', 'The first request with this Idempotency-Key is still under way.')
    default:
      request.lllmStory.keyed = {
        use: { keyHash: asked.keyHash, workId: claim.workId },
        hasBegun: false,
        wasLeft: false,
        isHandedOn: false,
        isPrivate: false,
      }
      return answer()
  }
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  return reply.code(status).headers(headers).header(replayedHeader, 'true').send(body)
}

/** Tells of a session that has ended for a request: with it the answer is worth being kept, unless it was cut short from outside. */
export function noteSession({ lllmStory: { keyed } }: FastifyRequest, { endReason, content = 'full' }: Session): void {
  if (keyed === undefined) return
  if (content !== 'full') keyed.isPrivate = true
  if (endReason === 'client-closed') keyed.wasLeft = true
  else if (endReason !== 'shutdown') keyed.hasBegun = true
}

/**
 * The id that work has to have which outlives its request: a run, or a batch of runs. It is the same whenever the request comes again
 * under its key, so that submitting the work twice adds nothing. Undefined: the request has no key, and any id will do.
 *
 * Ask for it right before the work is submitted, when nothing is left to be judged: from then on the key stays taken when that
 * fails on our side, because the work may be there. A success is kept as the answer, if its texts may be kept: otherwise whoever repeats
 * the request is told how the work is by then.
 */
export function workIdOf({ lllmStory: { keyed } }: FastifyRequest, content: StoreContent = 'full'): string | undefined {
  if (keyed === undefined) return undefined
  keyed.isHandedOn = true
  keyed.isPrivate = content !== 'full'
  return keyed.use.workId
}

/** Settles the key of a request that is about to be answered, as a part of which its answer is kept. Never rejects. */
export async function settleKey(
  keyed: KeyedRequestStory,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<void> {
  const { answers, redactor } = request.server.lllm
  const { statusCode } = reply
  if (keyed.isHandedOn && (statusCode >= 500 || (keyed.isPrivate && statusCode < 400))) return answers.leave(keyed.use)
  const isKept = keyed.isHandedOn ? statusCode < 400 : keyed.hasBegun && !keyed.wasLeft
  const kept = () => (keyed.isPrivate ? tellNotKept(request, privateAnswer) : toKeptAnswer(request, reply, payload))
  const fault = await answers.settle(keyed.use, isKept ? kept() : undefined)
  if (fault === undefined) return
  const entry = { error: toErrorLog(fault, redactor), request_id: request.lllmStory.id }
  request.log.error(entry, 'the answer to an idempotency key is not stored yet')
}

function toKeptAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown): KeptAnswer {
  // A secret that is known is told to whoever calls, and kept nowhere. It is looked for as it stands in JSON, too.
  const body = typeof payload === 'string' ? request.server.lllm.redactor.known(payload) : (payload ?? '')
  // What is no text any more has been changed by an application around us, and its headers with it.
  if (typeof body !== 'string' || Buffer.byteLength(body) > keptBytesMax) return tellNotKept(request, largeAnswer)
  const headers: Record<string, string> = {}
  for (const name of keptHeaders) {
    const value = reply.getHeader(name)
    if (value !== undefined) headers[name] = String(value)
  }
  return { status: reply.statusCode, headers, body }
}

const largeAnswer = `could not be kept, as those are that have up to ${keptBytesMax} bytes`
const privateAnswer = 'may not be kept, as the config of the tactic wants it'

/** What is answered again in the place of an answer that cannot be kept. */
function tellNotKept(request: FastifyRequest, reason: string): KeptAnswer {
  const message = `The request with this Idempotency-Key was done, but its answer ${reason}. Look at its sessions, or use another key to have it done again.`
  const { sessionId } = request.lllmStory
  const problem = toProblem(new LllmError('idempotency-mismatch', message), {
    ...originOf(request),
    instance: pathOf(request.url),
    ...(sessionId === undefined ? {} : { sessionId }),
  })
  return { status: problem.status, headers: { 'content-type': problemMediaType }, body: JSON.stringify(problem) }
}
