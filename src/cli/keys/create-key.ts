import { makeKey } from '../../auth/key-secret.ts'
import { systemWorld } from '../../system-world.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { readKeyOptions } from './key-options.ts'
import type { CreateKeyOptions } from './keys-command.ts'
import { withKeys, writeNewKey } from './open-keys.ts'

export async function createKey(shell: Shell, options: CreateKeyOptions): Promise<ExitCode> {
  const nowMs = systemWorld.clock.now()
  const { id, hash, text } = makeKey()
  const asked = readKeyOptions(options, id, nowMs)
  const key = { ...asked, id, hash, createdAtMs: nowMs, revokedAtMs: null, replacedBy: null }
  await withKeys(shell, (keys) => keys.add(key))
  await writeNewKey(shell, key, text, options.json)
  return exitCodes.done
}
