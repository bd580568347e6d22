import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { webhookStoreContract } from '../contracts/webhook-store.ts'
import { databaseFiles } from '../support/database-files.ts'
import { openSqliteHere } from '../support/sqlite-here.ts'

const { newPath } = databaseFiles()

webhookStoreContract('memory', async () => {
  const { runs, webhooks } = createMemoryRuns(createMemorySessionStore())
  return { runs, stores: [webhooks, webhooks], close: async () => {} }
})

webhookStoreContract('sqlite', async () => {
  const store = await openSqliteHere(newPath())
  return { runs: store.runs, stores: [store.webhooks, store.webhooks], close: () => store.close() }
})
