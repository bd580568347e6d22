// Ends runs that have a receiver, in the SQLite file of its first argument: as many as its second says, told at the URL of its third. It prints a
// line when the ends are stored, and then waits to be killed.
import { openSqliteSessionStore } from '../../src/stores/sqlite-session-store.ts'
import { buildRun } from './runs.ts'
import { buildSession, sessionId } from './sessions.ts'

const [, , path = '', count = '0', url = ''] = process.argv
const { runs } = await openSqliteSessionStore({ path })
const request = { task: '', webhook: { url } }
const ids = Array.from({ length: Number(count) }, (_, number) => sessionId(number))
await runs.submit({ runs: ids.map((id) => buildRun({ id, tactic: 'summary', request })) })
const owner = { owner: 'one', slots: 1_000, concurrencyMax: 1_000, leaseMs: 60_000, takesOver: false }
for (const { id, attempt } of await runs.claim(owner)) {
  const session = buildSession({ id })
  const event = { seq: 1, event: { type: 'result', result: session.result, cost: session.cost } } as const
  await runs.finish({ runId: id, attempt }, { session, event, journal: [] })
}
process.stdout.write('ended\n')
setInterval(() => {}, 60_000)
