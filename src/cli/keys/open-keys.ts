import type { ApiKey, KeyStore } from '../../domain/api-key.ts'
import { toRfc3339 } from '../../domain/clock.ts'
import { LllmError } from '../../domain/errors.ts'
import { readSettings } from '../../settings.ts'
import { openSessionStore } from '../../stores/open-session-store.ts'
import { databaseOf } from '../db/db-setting.ts'
import type { Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'

/** Opens the keys of a service, which may be running, for as long as a piece of work takes. */
export async function withKeys<Result>(shell: Shell, work: (keys: KeyStore) => Promise<Result>): Promise<Result> {
  const database = databaseOf(shell)
  if (database === ':memory:') {
    throw new LllmError('invalid-settings', 'LLLM_DATABASE is :memory:, where no key lasts.')
  }
  const store = await openSessionStore(database, {
    migrates: readSettings(shell.env).migrate === 'boot',
    isBrief: true,
  })
  try {
    return await work(store.keys)
  } finally {
    await store.close()
  }
}

/** A key as it is shown: everything but what would be of use to anybody else. */
export function toShownKey({ id, name, tenant, scopes, limits, createdAtMs, expiresAtMs, revokedAtMs }: ApiKey) {
  const { requestsPerMinute = null, concurrency = null, budget } = limits
  return {
    id,
    name,
    tenant,
    scopes,
    requests_per_minute: requestsPerMinute,
    concurrency,
    budget_usd: budget?.limitUsd ?? null,
    budget_per: budget?.per ?? null,
    created_at: toRfc3339(createdAtMs),
    expires_at: expiresAtMs === null ? null : toRfc3339(expiresAtMs),
    revoked_at: revokedAtMs === null ? null : toRfc3339(revokedAtMs),
  }
}

/** Writes a new key where a script finds it by itself, and what there is to say beside it. */
export async function writeNewKey({ stdout, stderr }: Shell, key: ApiKey, text: string, json?: true): Promise<void> {
  if (json) return writeJson(stdout, { key: text, ...toShownKey(key) })
  await write(stdout, `${text}\n`)
  await write(stderr, `The key ${key.id} of the tenant ${key.tenant}. It is not shown again: only its hash is kept.\n`)
}
