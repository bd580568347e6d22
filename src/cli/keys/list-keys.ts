import type { ApiKey } from '../../domain/api-key.ts'
import { toRfc3339 } from '../../domain/clock.ts'
import { systemWorld } from '../../system-world.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { type Column, writeTable } from '../look/table.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import { toShownKey, withKeys } from './open-keys.ts'

const columns: readonly Column[] = [
  { title: 'ID' },
  { title: 'TENANT' },
  { title: 'NAME', canShrink: true },
  { title: 'STATE' },
  { title: 'EXPIRES', canGo: true },
  { title: 'SCOPES', canShrink: true },
]

export async function listKeys(shell: Shell, { json }: { readonly json?: true }): Promise<ExitCode> {
  const keys = await withKeys(shell, (store) => store.list())
  if (json) {
    await writeJson(shell.stdout, { data: keys.map(toShownKey) })
    return exitCodes.done
  }
  const nowMs = systemWorld.clock.now()
  await writeTable(
    shell.stdout,
    columns,
    keys.map((key) => [
      key.id,
      key.tenant,
      key.name,
      stateOf(key, nowMs),
      key.expiresAtMs === null ? 'never' : toRfc3339(key.expiresAtMs),
      key.scopes.join(' '),
    ]),
  )
  if (keys.length === 0) await write(shell.stderr, 'There is no key yet: lllm keys create makes one.\n')
  return exitCodes.done
}

function stateOf({ revokedAtMs, expiresAtMs }: ApiKey, nowMs: number): string {
  if (revokedAtMs !== null) return 'revoked'
  return expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : 'active'
}
