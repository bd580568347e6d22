import { createMemoryKeys } from '../../src/stores/memory-keys.ts'
import { keyStoreContract } from '../contracts/key-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { newPath } = databaseFiles()

keyStoreContract('memory', async () => ({ keys: createMemoryKeys(), close: async () => {} }))
keyStoreContract('sqlite', () => openSqliteHere(newPath()))
