import { z } from 'zod'
import { sessionStates } from '../domain/session.ts'
import type { CostGroup, SessionFilter, SessionPosition } from '../domain/session-store.ts'
import { cursor } from './cursor.ts'
import { name, tagKeyPattern, tagsMax, tagValue, time } from './fields.ts'
import { wholeNumberText } from './number-text.ts'
import { parse } from './parse.ts'

const groupsMax = 5
const tagParameter = /^tag\./

const filterFields = {
  tactic: name
    .optional()
    .describe('Only sessions of this tactic: of all that have the name, or of one by `package::name`.'),
  state: z
    .enum(sessionStates, `must be one of ${sessionStates.join(', ')}`)
    .optional()
    .describe('Only sessions in this state.'),
  started_after: time.optional().describe('Only sessions that started at this time or later (RFC 3339).'),
  started_before: time.optional().describe('Only sessions that started before this time (RFC 3339).'),
}

export const pageLimit = wholeNumberText(1, 200).default(50)

/** The query of `GET /sessions`, without its tags. */
export const listQuery = z.strictObject({
  ...filterFields,
  limit: pageLimit.describe('Sessions of a page; 50 when left out.'),
  cursor: cursor.optional().describe('The next_cursor of the page before.'),
})

const group = z
  .string()
  .regex(
    new RegExp(`^(tactic|tactic_id|agent|model|day|tag\\.${tagKeyPattern})$`),
    'must be tactic, tactic_id, agent, model, day or tag.KEY, separated by commas',
  )

const groupBy = z
  .string()
  .transform((text) => text.split(','))
  .pipe(
    z
      .array(group)
      .max(groupsMax, `must not have more than ${groupsMax} groups`)
      .refine((groups) => new Set(groups).size === groups.length, 'must not name a group twice'),
  )

/** The query of `GET /costs`, without its tags. */
export const costsQuery = z.strictObject({
  ...filterFields,
  group_by: groupBy
    .default(['tactic'])
    .describe(
      `Up to ${groupsMax} of tactic, tactic_id, agent, model, day (UTC) and tag.KEY, separated by commas; tactic when left out.`,
    )
    .meta({ examples: ['tactic,model'] }),
  format: z.enum(['json', 'csv']).optional().describe('Goes before the Accept header.'),
})

const tagFilter = z
  .record(z.string().regex(new RegExp(`^tag\\.${tagKeyPattern}$`), `must fit tag.${tagKeyPattern}`), tagValue)
  .refine((tags) => Object.keys(tags).length <= tagsMax, `must not have more than ${tagsMax} tags`)

export interface ListRequest {
  readonly filter: SessionFilter
  readonly limit: number
  readonly after: SessionPosition | undefined
}

/** @throws LllmError `invalid-parameter` */
export function parseListQuery(query: unknown): ListRequest {
  const { tags, rest } = splitTags(query)
  const { limit: size, cursor: after, ...fields } = parse(listQuery, rest, 'query')
  return { filter: toFilter(fields, tags), limit: size, after }
}

export interface CostsRequest {
  readonly filter: SessionFilter
  readonly groupBy: readonly CostGroup[]
  readonly format: 'json' | 'csv' | undefined
}

/** @throws LllmError `invalid-parameter` */
export function parseCostsQuery(query: unknown): CostsRequest {
  const { tags, rest } = splitTags(query)
  const { group_by: groups, format, ...fields } = parse(costsQuery, rest, 'query')
  return { filter: toFilter(fields, tags), groupBy: groups as CostGroup[], format }
}

/** Parts `tag.KEY` from the parameters that have a name of their own. `fromEntries` defines keys, it never assigns them. */
export function splitTags(query: unknown) {
  const entries = Object.entries(query as Readonly<Record<string, unknown>>)
  const tags = entries.filter(([key]) => tagParameter.test(key))
  return {
    tags: parse(tagFilter, Object.fromEntries(tags), 'query'),
    rest: Object.fromEntries(entries.filter(([key]) => !tagParameter.test(key))),
  }
}

function toFilter(
  fields: Pick<z.output<typeof listQuery>, keyof typeof filterFields>,
  tags: Readonly<Record<string, string>>,
): SessionFilter {
  const { tactic, state, started_after: startedAfterMs, started_before: startedBeforeMs } = fields
  return {
    ...(tactic === undefined ? {} : { tactic }),
    ...(state === undefined ? {} : { state }),
    ...(startedAfterMs === undefined ? {} : { startedAfterMs }),
    ...(startedBeforeMs === undefined ? {} : { startedBeforeMs }),
    ...toPlainTags(tags),
  }
}

/** Tags without the `tag.` of their parameters, where there are any. */
export function toPlainTags(tags: Readonly<Record<string, string>>): Pick<SessionFilter, 'tags'> {
  if (Object.keys(tags).length === 0) return {}
  return {
    tags: Object.fromEntries(Object.entries(tags).map(([key, value]) => [key.replace(tagParameter, ''), value])),
  }
}
