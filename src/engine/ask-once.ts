import type { ModelChoice } from '../domain/agent.ts'
import type { ModelRequest } from '../domain/invoker.ts'
import { type Asked, askProvider } from './ask-provider.ts'
import { askWithJournal } from './ask-with-journal.ts'
import type { Asking, StepCount } from './asking.ts'

/** Asks once: the provider, or the journal of the run. */
export function askOnce(asking: Asking, choice: ModelChoice, step: ModelRequest, count: StepCount): Promise<Asked> {
  if (asking.journal === undefined) return askProvider(asking, choice, step, count)
  return askWithJournal(asking, asking.journal, choice, step, count)
}
