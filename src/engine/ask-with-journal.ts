import type { ModelChoice } from '../domain/agent.ts'
import { type ModelReply, type ModelRequest, ProviderError } from '../domain/invoker.ts'
import type { JournalEntry, JournalState } from '../domain/journal.ts'
import type { LlmCall } from '../domain/session.ts'
import { type Asked, askProvider, type RequestKeeper } from './ask-provider.ts'
import type { AgentJournal, Asking, StepCount } from './asking.ts'
import {
  allCalls,
  asLost,
  type EarlierCall,
  fromFailureRecord,
  fromTakenRecord,
  type ModelRecord,
  readModelRecord,
  toFailureRecord,
  toTakenRecord,
} from './model-record.ts'
import type { JournalSlot } from './run-journal.ts'

/**
 * Asks the journal of a run, and the provider only for what no earlier attempt has got to its end. Before anything is sent the journal knows
 * of it, which is also how a process learns in time that somebody else works on the run; and it knows the reply before anybody looks at it.
 */
export async function askWithJournal(
  asking: Asking,
  journal: AgentJournal,
  choice: ModelChoice,
  step: ModelRequest,
  count: StepCount,
): Promise<Asked> {
  const { signal } = asking
  signal.throwIfAborted()
  const slot = journal.run.open(journal.scope, 'model', contentOf(asking, choice, step))
  const past = slot.past && readModelRecord(slot.past)
  const isUsable = slot.past?.state === 'done' || slot.past?.state === 'failed'
  if (slot.past !== undefined && past !== undefined && isUsable) {
    return replay(asking, journal, { ...slot.past, past }, step, count)
  }
  const earlier = past === undefined ? [] : allCalls(past)
  for (const call of earlier) recordAgain(asking, call, step, count)
  return askProvider(asking, choice, step, count, keepIn(slot, journal, asking, choice, earlier))
}

/** What is sent, and to whom. Two requests of the same content can take each other's replies. */
function contentOf(
  { plan }: Asking,
  { invoker, model }: ModelChoice,
  { apiType, messages, modelArgs, tools, format }: ModelRequest,
) {
  return [plan.name, invoker.name, model, apiType, messages, modelArgs, tools, format ?? null]
}

function replay(
  asking: Asking,
  journal: AgentJournal,
  { past, ...entry }: JournalEntry & { readonly past: ModelRecord },
  step: ModelRequest,
  count: StepCount,
): Asked {
  for (const call of allCalls(past)) recordAgain(asking, call, step, count)
  asking.span.event('lllm.chat.replayed', () => ({
    'gen_ai.request.model': step.model,
    'lllm.llm_call.id': past.call.id,
  }))
  journal.run.keepReply(past.call.id, entry)
  count.isReplayed = true
  if (past.failure !== null) {
    return { ok: false, error: fromFailureRecord(past.failure), wasSent: past.wasSent, isReplayed: true }
  }
  return { ok: true, reply: toReply(past.call) }
}

function toReply({ response, usage }: ModelRecord['call']): ModelReply {
  const said = response ?? { id: null, model: null, message: { role: 'assistant', content: '' }, finishReason: null }
  return { ...said, usage }
}

/** What an earlier attempt has paid for belongs to the session, and counts against the limits of the call. */
function recordAgain({ recorder, meter }: Asking, { call, taken }: EarlierCall, step: ModelRequest, count: StepCount) {
  meter.charge(fromTakenRecord(taken))
  const request = { messages: step.messages, args: step.modelArgs, tools: step.tools }
  recorder.llmCall({ ...call, step: count.step, attempt: count.nextAttempt++, request })
}

function keepIn(
  slot: JournalSlot,
  journal: AgentJournal,
  { signal }: Asking,
  choice: ModelChoice,
  earlier: readonly EarlierCall[],
): RequestKeeper {
  const { agent, dialog, tactic, tacticId } = journal
  const about = { agent, dialog, tactic, tacticId, earlier }
  return {
    async begin(start, reserved) {
      const call = asLost(start, choice.invoker.simulated)
      await slot.write('begun', { ...about, call, failure: null, wasSent: true, taken: toTakenRecord(reserved) })
    },
    async end({ request: _, ...call }: LlmCall, amounts, asked) {
      const failure = !asked.ok && asked.error instanceof ProviderError ? toFailureRecord(asked.error) : null
      const wasSent = asked.ok || asked.wasSent
      const record: ModelRecord = { ...about, call, failure, wasSent, taken: toTakenRecord(amounts) }
      const state = stateOf(asked, signal)
      const written = slot.write(state, record)
      if (state === 'spent') {
        // A stop waits for nobody. Whoever ends the attempt waits until all of it is written.
        written.catch(() => undefined)
        return
      }
      journal.run.keepReply(call.id, await written)
    },
  }
}

/** A failure is used again as it is; that somebody stopped the request says nothing of what the provider would have said. */
function stateOf(asked: Asked, signal: AbortSignal): JournalState {
  if (asked.ok) return 'done'
  return signal.aborted || !(asked.error instanceof ProviderError) ? 'spent' : 'failed'
}
