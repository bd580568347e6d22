import { LllmError } from '../../domain/errors.ts'
import type { SessionRecord } from '../../domain/session-record.ts'
import type { SessionStore } from '../../domain/session-store.ts'
import { toSessionCostAnswer } from '../../http/cost-answer.ts'
import { sessionId } from '../../http/fields.ts'
import { unknownSession } from '../../http/session-id.ts'
import { inOneLine } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Output, Shell } from '../shell.ts'
import { writeJson } from '../write.ts'
import { costCells, costColumns } from './cost-columns.ts'
import { withStore } from './open-store.ts'
import type { ShowSessionOptions } from './session-command.ts'
import { sessionTree } from './session-tree.ts'
import { type Column, writeTable } from './table.ts'
import { type TreeLine, writeTree } from './tree.ts'

/** As many of the sessions that a beginning may mean are named. */
const namedMax = 5

export async function showSession(shell: Shell, beginning: string, options: ShowSessionOptions): Promise<ExitCode> {
  const { stdout } = shell
  if (!sessionId.safeParse(beginning).success) {
    throw new LllmError('invalid-parameter', 'The id of a session has letters, digits and _ . - only, at most 128.')
  }
  const { id, record, lines } = await withStore(shell, async (store) => {
    const id = await findId(store, beginning)
    const [found, costs] = await Promise.all([store.get(id), store.costOf(id)])
    if (costs === undefined) throw unknownSession(id)
    return { id, record: found, lines: costs }
  })
  const costs = toSessionCostAnswer(id, lines)
  if (options.cost) await (options.json ? writeJson(stdout, costs) : writeCosts(stdout, costs))
  else if (record === undefined) throw expiredSession(id)
  else if (options.json) await writeJson(stdout, record)
  else {
    await writeTree(stdout, { head: [{ text: record.id, style: 'bold' }], children: [] })
    for (const line of facts(record)) await writeTree(stdout, line)
    await writeTree(stdout, sessionTree(record))
  }
  return exitCodes.done
}

function expiredSession(id: string): LllmError {
  return new LllmError(
    'session-expired',
    `What happened in session ${id} is not kept any more. Its costs are: lllm session ${id} --cost.`,
  )
}

/** @throws LllmError `unknown-session`, or `invalid-parameter` when several begin so. */
async function findId(store: SessionStore, beginning: string): Promise<string> {
  const found = await store.findIds(beginning, namedMax + 1)
  const [first] = found
  if (first === undefined) throw unknownSession(beginning)
  if (found.length === 1 || first === beginning) return first
  const named = `${found.slice(0, namedMax).join(', ')}${found.length > namedMax ? ' and more' : ''}`
  throw new LllmError('invalid-parameter', `More than one session begins with ${beginning}: ${named}.`)
}

function facts(session: SessionRecord): readonly TreeLine[] {
  const { started_at: startedAt, config, tags, task, result, error, simulated, metadata } = session
  const tagTexts = Object.entries(tags).map(([key, value]) => `${key}=${value}`)
  const told: readonly (readonly [name: string, text: string])[] = [
    ['started', startedAt],
    ['config', simulated ? `${config.name} (with a simulated model)` : config.name],
    ...(tagTexts.length === 0 ? [] : [['tags', tagTexts.join(' ')] as const]),
    ...(Object.keys(metadata).length === 0 ? [] : [['metadata', inOneLine(metadata)] as const]),
    ['task', inOneLine(task)],
    ...(error === null
      ? [['result', inOneLine(result)] as const]
      : [['error', `${error.code}: ${error.message}`] as const]),
  ]
  return told.map(([name, text]) => ({
    head: [{ text: name.padEnd(8), style: 'dim' }],
    detail: inOneLine(text),
    children: [],
  }))
}

const lineColumns: readonly Column[] = [
  { title: 'TACTIC', canShrink: true },
  { title: 'AGENT' },
  { title: 'MODEL', canShrink: true },
  ...costColumns,
]

async function writeCosts(stdout: Output, { lines, total }: ReturnType<typeof toSessionCostAnswer>): Promise<void> {
  const rows = [
    ...lines.map((line) => [line.tactic, line.agent, line.model, ...costCells(line)]),
    ['total', '', '', ...costCells(total)],
  ]
  await writeTable(stdout, lineColumns, rows)
}
