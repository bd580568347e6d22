import type { LllmError } from '../domain/errors.ts'
import type { EngineEvent, EventPlace } from '../domain/event.ts'
import type { EndReason } from '../domain/session.ts'
import { endReasonOf, openStopScope, stopError } from '../domain/stop.ts'
import type { Scope } from '../domain/tactic.ts'
import { noTracing, type Span } from '../domain/tracing.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import { openTell } from './announce.ts'
import { type CallTrace, endWorkflow, startWorkflow } from './call-spans.ts'
import { openCrew } from './crew.ts'
import type { CallOptions, Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import { executeRemote } from './execute-remote.ts'
import type { Meter } from './meter.ts'
import { openMeter, timeoutOf } from './open-meter.ts'
import { readResult } from './read-result.ts'
import { recordLeftovers } from './record-leftovers.ts'
import { type CallJournal, childJournal, type RunJournal, rootJournal } from './run-journal.ts'
import { recordSession, type SessionRecorder } from './session-recorder.ts'
import { toPlainData, toTacticError } from './tactic-error.ts'

export interface ExecuteOptions extends CallOptions, CallTrace {
  /** Of a sub-tactic: the place of its parent. */
  readonly parent?: EventPlace
  /** When whatever this call is a part of runs out of its time, in ms since 1970; Infinity: never. */
  readonly deadlineAtMs?: number
  /** Of a batch's item or a sub-tactic: what it is a part of. */
  readonly meter?: Meter
  /** The run that this call is an attempt of. */
  readonly run?: RunJournal
  /** Of a sub-tactic in a run: the journal of its parent. */
  readonly journal?: CallJournal
}

/**
 * Executes a call, without storing its session: that is up to whoever is at the root.
 *
 * It never rejects: whatever goes wrong inside a tactic is the outcome of the call, together with what was spent up to
 * that point. Nothing is shared between two calls, because the tactic and its agents are made here and die here.
 */
export async function execute(parts: EngineParts, call: PreparedCall, options: ExecuteOptions = {}): Promise<Outcome> {
  const { tactic, config } = call
  const { remote } = tactic.tactic.spec
  if (remote !== undefined) return executeRemote(parts, call, remote, options)
  const { clock, newId } = parts.world
  const { signal: outerSignal, tags = {}, metadata = {}, tenant, emit, parent, run } = options
  const nowMs = clock.now()
  const startedAtMs = run?.startedAtMs ?? nowMs
  const timeoutMs = timeoutOf(call, options, nowMs - startedAtMs)
  const journal = openJournal(call, options)
  const id = run?.runId ?? journal?.run.stableId(journal.scope, 'session') ?? newId()
  const span = startWorkflow(parts.tracing ?? noTracing, call, options, id)
  const place: EventPlace = { sessionId: id, path: [...(parent?.path ?? []), tactic.name] }
  const simulated = [...config.agents.values()].some(({ invoker }) => invoker.simulated)
  const deadlineAtMs = Math.min(options.deadlineAtMs ?? Infinity, nowMs + (timeoutMs ?? Infinity))
  const recorder = recordSession({
    id,
    ...(tenant === undefined ? {} : { tenant }),
    tactic: tactic.name,
    tacticId: tactic.id,
    startedAtMs,
    task: call.task,
    tags,
    metadata,
    config: { name: config.name, hash: config.hash },
    simulated,
    ...(config.storeContent === 'full' ? {} : { content: config.storeContent }),
  })
  const stopScope = openStopScope(outerSignal === undefined ? [] : [outerSignal], timeoutMs)
  const { signal } = stopScope
  const tell = emit === undefined ? undefined : openTell(emit, signal)
  const meter = openMeter(parts, call, options)
  const forChild = {
    deadlineAtMs,
    meter,
    parent: place,
    ...(tenant === undefined ? {} : { tenant }),
    span,
    ...(emit === undefined ? {} : { emit }),
    ...(journal === undefined ? {} : { journal }),
  }
  const executeChild = (child: PreparedCall, within: AbortSignal) =>
    execute(parts, child, { signal: within, ...forChild })
  const crew = openCrew({
    parts,
    config,
    recorder,
    signal,
    deadlineAtMs,
    meter,
    place,
    tell,
    journal,
    span,
    executeChild,
  })
  await tell?.(startEvent(place, tactic.name, parent, { startedAtMs, simulated }))
  const ended = await runTactic(call, crew.scope, meter, signal, span)
  const endReason = whatEnded(ended, signal)

  // What a tactic left running is stopped, and waited for: its cost belongs to this session.
  stopScope.stop('cancelled')
  await crew.settle()
  stopScope.dispose()
  if (run !== undefined) recordLeftovers(run, tactic, recorder, clock.now(), newId)

  const outcome = closeSession(ended, recorder, { endReason, endedAtMs: clock.now() })
  endWorkflow(span, outcome)
  if (parent !== undefined) {
    const { state, cost } = outcome.session
    const { sessionId: parentId } = parent
    await tell?.({ type: 'tactic.completed', ...place, tactic: tactic.name, parentId, state, cost })
  }
  return outcome
}

function openJournal({ tactic, task }: PreparedCall, { run, journal }: ExecuteOptions): CallJournal | undefined {
  if (run !== undefined) return rootJournal(run, tactic)
  return journal === undefined ? undefined : childJournal(journal, tactic, task)
}

function whatEnded(ended: Ended, signal: AbortSignal): EndReason | null {
  if (ended.ok) return null
  if (signal.aborted) return endReasonOf(signal)
  return ended.error.code === 'budget-exceeded' ? 'budget' : null
}

function startEvent(
  place: EventPlace,
  tactic: string,
  parent: EventPlace | undefined,
  start: { readonly startedAtMs: number; readonly simulated: boolean },
): EngineEvent {
  if (parent === undefined) return { type: 'session.started', ...place, tactic, ...start }
  return { type: 'tactic.started', ...place, tactic, parentId: parent.sessionId }
}

function closeSession(
  ended: Ended,
  recorder: SessionRecorder,
  end: { readonly endReason: EndReason | null; readonly endedAtMs: number },
): Outcome {
  if (ended.ok) {
    const session = recorder.close({ ...end, state: 'success', result: ended.output, error: null })
    return { ok: true, output: ended.output, session }
  }
  const { code, message, data } = ended.error
  const state = end.endReason === null || end.endReason === 'budget' ? 'failure' : 'cancelled'
  const session = recorder.close({ ...end, state, result: null, error: { code, message, data: toPlainData(data) } })
  return { ok: false, error: ended.error, session }
}

type Ended = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: LllmError }

async function runTactic(
  { tactic, input }: PreparedCall,
  scope: Scope,
  meter: Meter,
  signal: AbortSignal,
  span: Span,
): Promise<Ended> {
  try {
    await meter.checkDepth()
    const work = async () => readResult(tactic, await span.within(() => new tactic.tactic(scope).call(input as never)))
    return { ok: true, output: await untilAborted(work, signal) }
  } catch (error) {
    return { ok: false, error: signal.aborted ? stopError(signal) : toTacticError(error, tactic) }
  }
}
