import { createMemoryKeys } from '../../src/stores/memory-keys.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { keyStoreContract } from '../contracts/key-store.ts'
import { databaseFiles } from '../support/database-files.ts'

const { newPath } = databaseFiles()

keyStoreContract('memory', async () => ({ keys: createMemoryKeys(), close: async () => {} }))
keyStoreContract('sqlite', async () => openSqliteSessionStore({ path: newPath() }))
