import { systemWorld } from '../../system-world.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { write } from '../write.ts'
import { withKeys } from './open-keys.ts'
import { unknownKey } from './rotate-key.ts'

export async function revokeKey(shell: Shell, id: string): Promise<ExitCode> {
  const isThere = await withKeys(shell, (keys) => keys.revoke(id, systemWorld.clock.now()))
  if (!isThere) throw unknownKey(id)
  await write(shell.stderr, `The key ${id} is revoked. Services notice within 5 seconds.\n`)
  return exitCodes.done
}
