import { createMemoryRuns } from '../../src/stores/memory-runs.ts'
import { createMemorySessionStore } from '../../src/stores/memory-session-store.ts'
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { webhookStoreContract } from '../contracts/webhook-store.ts'
import { databaseFiles } from '../support/database-files.ts'

const { newPath } = databaseFiles()

webhookStoreContract('memory', async () => {
  const { runs, webhooks } = createMemoryRuns(createMemorySessionStore())
  return { runs, stores: [webhooks, webhooks], close: async () => {} }
})

webhookStoreContract('sqlite', async () => {
  const store = await openSqliteSessionStore({ path: newPath() })
  return { runs: store.runs, stores: [store.webhooks, store.webhooks], close: () => store.close() }
})
