import { type RunEvent, type RunRequest, type RunState, withoutTask } from '../domain/run.ts'
import type { StoreContent } from '../domain/store-content.ts'
import type { RunDialect, RunTransaction } from './run-dialect.ts'

/** Events that hold texts of callers, models and tools. Pieces of replies are cut anywhere, also in the middle of a secret. */
const forgottenEvents: Readonly<Record<StoreContent, readonly RunEvent['type'][]>> = {
  full: [],
  redacted: ['agent.delta'],
  none: ['agent.delta', 'tool.started', 'tool.completed', 'progress'],
}

/** Removes what may not be kept of a run that ends in this transaction. */
export async function forgetTexts(
  transaction: RunTransaction,
  runId: string,
  content: StoreContent,
  state: RunState,
): Promise<void> {
  const types = forgottenEvents[content]
  if (types.length > 0) {
    await transaction.deleteFrom('run_events').where('run_id', '=', runId).where('type', 'in', types).execute()
  }
  // One that has succeeded never needs it again.
  if (content !== 'none' && state !== 'success') return
  await transaction.deleteFrom('run_journal').where('run_id', '=', runId).execute()
}

/** Removes the tasks of runs that end without having been started, where not all of their texts may be kept. */
export async function forgetTasks(transaction: RunTransaction, ids: readonly string[], dialect: RunDialect) {
  const payloads = transaction.selectFrom('run_payloads').select(['run_id', 'request']).where('run_id', 'in', ids)
  // What somebody else wrote may look like it: what it says is read below.
  const marked = await payloads
    .where((is) => is.or([is('request', 'like', '%"content":"%'), is('request', 'like', '%"hasSecrets":true%')]))
    .execute()
  const requests = marked.map(({ run_id, request }) => ({ id: run_id, request: JSON.parse(request) as RunRequest }))
  const unkept = requests.filter(({ request }) => request.hasSecrets === true || (request.content ?? 'full') !== 'full')
  if (unkept.length === 0) return
  await dialect.erasing(transaction, async () => {
    for (const { id, request } of unkept) {
      const left = JSON.stringify(withoutTask(request))
      await transaction.updateTable('run_payloads').set({ request: left }).where('run_id', '=', id).execute()
    }
  })
}
