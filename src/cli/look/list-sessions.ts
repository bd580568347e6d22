import type { SessionSummary } from '../../domain/session-store.ts'
import { toSessionList } from '../../http/session-list.ts'
import { parseListQuery } from '../../http/session-query.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import { tellCost, tellCount, tellDuration, tellTime } from './figures.ts'
import { withStore } from './open-store.ts'
import { judge, toQuery } from './session-options.ts'
import type { ListSessionsOptions } from './sessions-command.ts'
import { writeTable } from './table.ts'

const columns = [
  { title: 'ID' },
  { title: 'STARTED' },
  { title: 'TACTIC', canShrink: true },
  { title: 'STATE' },
  { title: 'COST', align: 'right' },
  { title: 'TOOK', align: 'right', canGo: true },
  { title: 'LLM CALLS', align: 'right', canGo: true },
  { title: 'TOKENS', align: 'right', canGo: true },
  { title: 'TAGS', canGo: true, canShrink: true },
] as const

export async function listSessions(shell: Shell, options: ListSessionsOptions): Promise<ExitCode> {
  const { limit: size, cursor } = options
  const { filter, limit, after } = judge(parseListQuery, toQuery(options, { limit: size, cursor }))
  const { page, answer } = await withStore(shell, async (store) => {
    const found = await store.list(filter, limit, after)
    return { page: found, answer: toSessionList(found) }
  })
  const { stdout, stderr } = shell
  if (options.json) await writeJson(stdout, answer)
  else if (page.data.length === 0) await write(stderr, 'There are no such sessions.\n')
  else await writeTable(stdout, columns, page.data.map(toRow))
  if (!options.json && answer.next_cursor !== null) {
    await write(stderr, `${tellCount(page.data.length, 'session')}; older ones: --cursor ${answer.next_cursor}\n`)
  }
  return exitCodes.done
}

function toRow(session: SessionSummary): readonly string[] {
  return [
    session.id,
    tellTime(session.startedAtMs),
    session.tactic,
    session.state,
    tellCost(session.cost),
    tellDuration(session.durationMs),
    String(session.llmCalls),
    String(session.cost.totalTokens),
    Object.entries(session.tags)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  ]
}
