import { makeKey } from '../../auth/key-secret.ts'
import { LllmError } from '../../domain/errors.ts'
import { systemWorld } from '../../system-world.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import type { Shell } from '../shell.ts'
import { readKeep } from './key-options.ts'
import type { RotateKeyOptions } from './keys-command.ts'
import { withKeys, writeNewKey } from './open-keys.ts'

/** The new key may do what the old one may, for as long from now on as that was made for. */
export async function rotateKey(shell: Shell, id: string, options: RotateKeyOptions): Promise<ExitCode> {
  const keptMs = readKeep(options.keep)
  const nowMs = systemWorld.clock.now()
  const { text, ...made } = makeKey()
  const next = await withKeys(shell, async (keys) => {
    const old = await keys.find(id)
    if (old === undefined) throw unknownKey(id)
    const lifeMs = old.expiresAtMs === null ? null : old.expiresAtMs - old.createdAtMs
    const expiresAtMs = lifeMs === null ? null : nowMs + lifeMs
    const key = { ...old, ...made, createdAtMs: nowMs, expiresAtMs, replacedBy: null }
    if (await keys.replace(id, nowMs + keptMs, key)) return key
    throw new LllmError('invalid-parameter', `The key ${id} was revoked. Create another one.`)
  })
  await writeNewKey(shell, next, text, options.json)
  return exitCodes.done
}

export function unknownKey(id: string): LllmError {
  return new LllmError('invalid-parameter', `There is no key ${id}. lllm keys list tells those that there are.`)
}
