import { operator } from '../../domain/caller.ts'
import type { BoundTactic } from '../../engine/engine.ts'
import { inOrderOfAddress } from '../../engine/find-tactic.ts'
import { toTacticRecord } from '../../http/tactic-record.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { ListTacticsOptions } from './list-command.ts'
import { withHouse } from './open-house.ts'
import { writeTable } from './table.ts'

const columns = [
  { title: 'TACTIC' },
  { title: 'PACKAGE', canGo: true },
  { title: 'VERSION', canGo: true },
  { title: 'AGENTS', canGo: true, canShrink: true },
  { title: 'CONFIGS', canGo: true, canShrink: true },
  { title: 'DESCRIPTION', canShrink: true },
] as const

export async function listTactics(shell: Shell, { json }: ListTacticsOptions): Promise<ExitCode> {
  const { stdout, stderr } = shell
  return withHouse(shell, async ({ tactics }) => {
    const all = inOrderOfAddress(tactics)
    if (json)
      await writeJson(stdout, { data: all.map((tactic) => toTacticRecord(tactic, operator)), next_cursor: null })
    else if (all.length === 0) await write(stderr, 'There are no tactics.\n')
    else await writeTable(stdout, columns, all.map(toRow))
    return exitCodes.done
  })
}

function toRow({ address, package: home, tactic, configs }: BoundTactic): readonly string[] {
  const { agents, description = '' } = tactic.spec
  const [summary = ''] = description.split('\n', 1)
  return [address, home.name, home.version, agents.join(' '), [...configs.keys()].join(' '), summary]
}
