import type { ApiKey, KeyStore } from '../domain/api-key.ts'

/** Keeps keys in this process. Whoever adds them bounds how many there are. */
export function createMemoryKeys(): KeyStore {
  const keys = new Map<string, ApiKey>()

  function change(id: string, by: (key: ApiKey) => Partial<ApiKey>): boolean {
    const key = keys.get(id)
    if (key === undefined) return false
    keys.set(id, { ...key, ...by(key) })
    return true
  }

  return {
    find: async (id) => keys.get(id),
    list: async () => [...keys.values()].sort((left, right) => left.createdAtMs - right.createdAtMs),
    async add(key) {
      keys.set(key.id, key)
    },
    async replace(id, untilMs, by) {
      if (keys.get(id)?.revokedAtMs !== null) return false
      change(id, ({ expiresAtMs }) => ({
        expiresAtMs: Math.min(expiresAtMs ?? Infinity, untilMs),
        replacedBy: by.id,
      }))
      keys.set(by.id, by)
      return true
    },
    revoke: async (id, atMs) => change(id, ({ revokedAtMs }) => ({ revokedAtMs: revokedAtMs ?? atMs })),
    isEmpty: async () => keys.size === 0,
  }
}
