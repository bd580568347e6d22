import { readSchema } from '../../stores/database-schema.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { writeTable } from '../look/table.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { DatabaseOptions } from './db-command.ts'
import { databaseOf } from './db-setting.ts'

const columns = [{ title: 'STEP' }, { title: 'STATE' }] as const

export async function showStatus(shell: Shell, { json }: DatabaseOptions): Promise<ExitCode> {
  const { kind, name, applied, pending } = await readSchema(databaseOf(shell))
  if (json) {
    await writeJson(shell.stdout, { kind, database: name, applied, pending })
  } else {
    await writeTable(shell.stdout, columns, [
      ...applied.map((step) => [step, 'applied']),
      ...pending.map((step) => [step, 'pending']),
    ])
    const told = pending.length === 0 ? 'is up to date' : 'is behind: lllm db migrate brings it up to date'
    await write(shell.stderr, `The database ${name} (${kind}) ${told}.\n`)
  }
  return pending.length === 0 ? exitCodes.done : exitCodes.failed
}
