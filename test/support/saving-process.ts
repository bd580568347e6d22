// Saves sessions to the SQLite file of its first argument, many at once, and prints the id of each that is saved.
// It is meant to be killed; without that it ends by itself.
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { buildSession, sessionId } from './sessions.ts'

const sessionsMax = 50_000
const atOnce = 20

const store = await openSqliteSessionStore({ path: process.argv[2] ?? '' })
let number = 0

async function saveOn() {
  while (number < sessionsMax) {
    const session = buildSession({ id: sessionId(number++) })
    await store.save(session)
    process.stdout.write(`${session.id}\n`)
  }
}

await Promise.all(Array.from({ length: atOnce }, saveOn))
await store.close()
