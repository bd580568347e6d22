import type { NewId } from '../domain/clock.ts'
import { allCalls, type EarlierCall, type ModelRecord, readModelRecord } from './model-record.ts'
import { sessionsOf } from './remote-journal.ts'
import type { RunJournal } from './run-journal.ts'
import { recordSession, type SessionRecorder } from './session-recorder.ts'

/**
 * Puts what earlier attempts have paid for, and this one had no use for, into the session of a run: a branch that has lost a race this time,
 * a prompt with the time of day in it, a request that was lost with its process. It belongs to the cost of the run.
 */
export function recordLeftovers(
  run: RunJournal,
  root: { readonly id: string },
  recorder: SessionRecorder,
  nowMs: number,
  newId: NewId,
): void {
  const leftovers = run.leftovers()
  for (const record of leftovers.filter(({ kind }) => kind === 'model').map(readModelRecord)) {
    if (record.tacticId === root.id) recordCalls(record, recorder, nowMs, newId)
    else recorder.openSubSession()(sessionOf(record, nowMs, newId))
  }
  const ofRemotes = leftovers.filter(({ kind }) => kind === 'remote').flatMap(sessionsOf)
  for (const session of [...run.leftBehind, ...ofRemotes]) recorder.openSubSession()(session)
}

function recordCalls(record: ModelRecord, recorder: SessionRecorder, nowMs: number, newId: NewId): void {
  const { agent, dialog } = record
  const agentCall = recorder.openAgentCall({ id: newId(), agent, dialog, startedAtMs: record.call.startedAtMs })
  const request = { messages: [], args: {}, tools: [] }
  for (const { call } of allCalls(record)) agentCall.llmCall({ ...call, request })
  agentCall.close('cancelled', null, Math.max(nowMs, record.call.startedAtMs))
}

/** Stands for the call of a sub-tactic, of which nothing else is known any more. */
function sessionOf(record: ModelRecord, nowMs: number, newId: NewId) {
  const { tactic, tacticId, call } = record
  const recorder = recordSession({
    id: newId(),
    tactic,
    tacticId,
    startedAtMs: call.startedAtMs,
    task: null,
    tags: {},
    metadata: {},
    config: { name: '', hash: '' },
    simulated: allCalls(record).some(isSimulated),
  })
  recordCalls(record, recorder, nowMs, newId)
  const endedAtMs = Math.max(nowMs, call.startedAtMs)
  return recorder.close({ state: 'cancelled', endReason: 'cancelled', endedAtMs, result: null, error: null })
}

function isSimulated({ call }: EarlierCall): boolean {
  return call.model.startsWith('simulated/')
}
