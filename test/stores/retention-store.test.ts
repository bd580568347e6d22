import { openSessionStore } from '../../src/stores/open-session-store.ts'
import { retentionStoreContract } from '../contracts/retention-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { newPath } = databaseFiles()

retentionStoreContract('memory', () => openSessionStore(':memory:'))
retentionStoreContract('sqlite', () => openSqliteHere(newPath()))
