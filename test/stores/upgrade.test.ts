import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { createNodeSqliteDialect } from '../../src/stores/node-sqlite-dialect.ts'
import { withoutRowId } from '../../src/stores/sql-migrations.ts'
import { upgradeContract } from '../contracts/upgrade.ts'
import { databaseFiles } from '../support/database-files.ts'
import { fillOldDatabase } from '../support/old-database.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { newPath } = databaseFiles()

upgradeContract('sqlite', async () => {
  const path = newPath()
  mkdirSync(dirname(path), { recursive: true })
  const db = new Kysely<never>({
    dialect: createNodeSqliteDialect(new DatabaseSync(path, { readBigInts: true })),
  })
  await fillOldDatabase(db, { clustered: withoutRowId })
  await db.destroy()
  return openSqliteHere(path)
})
