import type { CostGroup } from '../../domain/session-store.ts'
import { type TotalsRecord, toCostsAnswer } from '../../http/cost-answer.ts'
import { toCostsCsv } from '../../http/cost-csv.ts'
import { parseCostsQuery } from '../../http/session-query.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import { costCells, costColumns } from './cost-columns.ts'
import type { ReportCostsOptions } from './costs-command.ts'
import { withStore } from './open-store.ts'
import { judge, toQuery } from './session-options.ts'
import { type Column, writeTable } from './table.ts'

const figureColumns: readonly Column[] = [
  { title: 'SESSIONS', align: 'right' },
  ...costColumns,
  { title: 'UNPRICED CALLS', align: 'right', canGo: true },
]

export async function reportCosts(shell: Shell, options: ReportCostsOptions): Promise<ExitCode> {
  const query = toQuery(options, { group_by: options.groupBy })
  const { filter, groupBy } = judge(parseCostsQuery, query)
  const report = await withStore(shell, (store) => store.costs(filter, groupBy))
  const { stdout } = shell
  const answer = toCostsAnswer(report, groupBy)
  if (options.json) await writeJson(stdout, answer)
  else if (options.csv) await write(stdout, toCostsCsv(report, groupBy))
  else {
    const keyColumns = groupBy.map((group): Column => ({ title: group.toUpperCase(), canShrink: true }))
    const rows = report.data.map(({ keys }, index) => [
      ...keys.map((key) => key ?? '-'),
      ...figures(answer.data[index] as TotalsRecord),
    ])
    const total = [...totalKeys(groupBy), ...figures(answer.total)]
    await writeTable(stdout, [...keyColumns, ...figureColumns], [...rows, total])
  }
  return exitCodes.done
}

function totalKeys(groupBy: readonly CostGroup[]): readonly string[] {
  return groupBy.map((_, index) => (index === 0 ? 'total' : ''))
}

function figures(totals: TotalsRecord): readonly string[] {
  return [String(totals.sessions), ...costCells(totals), String(totals.unpriced_calls)]
}
