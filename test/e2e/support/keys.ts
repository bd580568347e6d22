import { makeKey } from '../../../src/auth/key-secret.ts'
import type { ApiKey } from '../../../src/domain/api-key.ts'
import type { Scope } from '../../../src/domain/caller.ts'
import { openSessionStore } from '../../../src/stores/open-session-store.ts'

export interface KeySketch extends Partial<Omit<ApiKey, 'id' | 'hash' | 'scopes'>> {
  readonly scopes?: readonly Scope[]
}

/** Makes keys in a database, as the command line does beside a service. Each is given by its text. */
export async function makeKeys<Name extends string>(
  database: string,
  sketches: Readonly<Record<Name, KeySketch>>,
): Promise<Readonly<Record<Name, string>>> {
  const store = await openSessionStore(database)
  try {
    const texts = await Promise.all(
      Object.entries<KeySketch>(sketches).map(async ([name, sketch]) => {
        const { id, hash, text } = makeKey()
        const rest = {
          tenant: 'acme',
          name,
          scopes: [],
          limits: {},
          expiresAtMs: null,
          revokedAtMs: null,
          replacedBy: null,
        }
        await store.keys.add({ ...rest, createdAtMs: Date.now(), ...sketch, id, hash })
        return [name, text]
      }),
    )
    return Object.fromEntries(texts) as Record<Name, string>
  } finally {
    await store.close()
  }
}
