import { z } from 'zod'
import { runStates } from '../domain/run.ts'
import type { RunFilter, RunPosition } from '../domain/run-store.ts'
import { cursor, toCursor } from './cursor.ts'
import { name, runId } from './fields.ts'
import { parse } from './parse.ts'
import { pageLimit, splitTags, toPlainTags } from './session-query.ts'

const page = {
  limit: pageLimit.describe('Entries of a page; 50 when left out.'),
  cursor: cursor.optional().describe('The next_cursor of the page before.'),
}

/** The query of `GET /runs`, without its tags. */
export const runsQuery = z.strictObject({
  tactic: name
    .optional()
    .describe('Only runs of this tactic: of all that have the name, or of one by `package::name`.'),
  state: z
    .enum(runStates, `must be one of ${runStates.join(', ')}`)
    .optional()
    .describe('Only runs in this state.'),
  batch: runId.optional().describe('Only runs of this batch.'),
  ...page,
})

/** The query of `GET /batches`. */
export const batchesQuery = z.strictObject(page)

export interface RunsRequest {
  readonly filter: RunFilter
  readonly limit: number
  readonly after: RunPosition | undefined
}

/** @throws LllmError `invalid-parameter` */
export function parseRunsQuery(query: unknown): RunsRequest {
  const { tags, rest } = splitTags(query)
  const { tactic, state, batch, limit: size, cursor: after } = parse(runsQuery, rest, 'query')
  return {
    filter: {
      ...(tactic === undefined ? {} : { tactic }),
      ...(state === undefined ? {} : { state }),
      ...(batch === undefined ? {} : { batchId: batch }),
      ...toPlainTags(tags),
    },
    limit: size,
    after: toPosition(after),
  }
}

/** @throws LllmError `invalid-parameter` */
export function parseBatchesQuery(query: unknown): Pick<RunsRequest, 'limit' | 'after'> {
  const { limit: size, cursor: after } = parse(batchesQuery, query, 'query')
  return { limit: size, after: toPosition(after) }
}

/** A cursor holds a time and an id, whatever it is a list of. */
export function toRunCursor(next: RunPosition | null): string | null {
  return next === null ? null : toCursor({ startedAtMs: next.createdAtMs, id: next.id })
}

function toPosition(after: { readonly startedAtMs: number; readonly id: string } | undefined): RunPosition | undefined {
  return after && { createdAtMs: after.startedAtMs, id: after.id }
}
