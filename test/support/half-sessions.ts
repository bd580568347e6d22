import { costColumns } from '../../src/stores/sql-schema.ts'

const sums = ['llm_calls', ...costColumns].map(
  (name) => `or ${name} <> (select coalesce(sum(${name}), 0) from cost_lines where session_id = id)`,
)

/** Sessions of which a part is missing, or whose parts do not add up. It is the same for SQLite and PostgreSQL but for how tags are counted. */
function halfSessionsBy(tagCount: string): string {
  return `
    select id from sessions
    where id not in (select session_id from session_payloads)
       or (select count(*) from session_tags where session_id = id) <> (${tagCount})
       ${sums.join('\n')}
    union select session_id from session_payloads where session_id not in (select id from sessions)
    union select session_id from cost_lines where session_id not in (select id from sessions)
    union select session_id from session_tags where session_id not in (select id from sessions)`
}

export const halfSessions = {
  sqlite: halfSessionsBy('select count(*) from json_each(tags)'),
  postgresql: halfSessionsBy('select count(*) from json_object_keys(tags::json)'),
} as const
