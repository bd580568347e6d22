import { migrateSchema } from '../../stores/database-schema.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { DatabaseOptions } from './db-command.ts'
import { databaseOf } from './db-setting.ts'

export async function migrateDatabase(shell: Shell, { json }: DatabaseOptions): Promise<ExitCode> {
  const migrated = await migrateSchema(databaseOf(shell))
  if (json) {
    await writeJson(shell.stdout, { migrated })
  } else {
    await write(shell.stdout, migrated.map((step) => `${step}\n`).join(''))
    if (migrated.length === 0) await write(shell.stderr, 'The tables are up to date.\n')
  }
  return exitCodes.done
}
