import { resolve } from 'node:path'
import { backUpDatabase } from '../../stores/back-up-database.ts'
import { harmlessLines } from '../display-text.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import type { DatabaseOptions } from './db-command.ts'
import { databaseOf } from './db-setting.ts'

export async function backUp(shell: Shell, to: string, { json }: DatabaseOptions): Promise<ExitCode> {
  const { file, bytes } = backUpDatabase(databaseOf(shell), resolve(shell.folder, to))
  if (json) await writeJson(shell.stdout, { file, bytes })
  else await write(shell.stdout, `${harmlessLines(`Wrote ${file}: ${bytes} bytes.`)}\n`)
  return exitCodes.done
}
