import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { retentionStoreContract } from '../contracts/retention-store.ts'
import { databaseFiles } from '../support/database-files.ts'

const { newPath } = databaseFiles()

retentionStoreContract('memory', () => openSessionStore(':memory:'))
retentionStoreContract('sqlite', () => openSqliteSessionStore({ path: newPath() }))
