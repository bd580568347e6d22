import { type ErrorCode, isLllmError, LllmError } from '../domain/errors.ts'
import type { EngineEvent, EventPlace } from '../domain/event.ts'
import { validate } from '../domain/schema.ts'
import type { EndReason } from '../domain/session.ts'
import { endReasonOf, openStopScope, stopError } from '../domain/stop.ts'
import type { Scope } from '../domain/tactic.ts'
import { openTell } from './announce.ts'
import { openCrew } from './crew.ts'
import type { BoundTactic, CallOptions, Outcome, PreparedCall } from './engine.ts'
import type { EngineParts } from './engine-parts.ts'
import { recordSession, type SessionRecorder } from './session-recorder.ts'
import { untilAborted } from './until-aborted.ts'

export interface ExecuteOptions extends CallOptions {
  /** Of a sub-tactic: the place of its parent. */
  readonly parent?: EventPlace
  /** When whatever this call is a part of runs out of its time, in ms since 1970; Infinity: never. */
  readonly deadlineAtMs?: number
}

/**
 * Executes a call, without storing its session: that is up to whoever is at the root.
 *
 * It never rejects: whatever goes wrong inside a tactic is the outcome of the call, together with what was spent up to
 * that point. Nothing is shared between two calls, because the tactic and its agents are made here and die here.
 */
export async function execute(parts: EngineParts, call: PreparedCall, options: ExecuteOptions = {}): Promise<Outcome> {
  const { tactic, config } = call
  const { clock, newId } = parts.world
  const startedAtMs = clock.now()
  const { signal: outerSignal, timeoutMs, tags = {}, metadata = {}, emit, parent } = options
  const id = newId()
  const place: EventPlace = { sessionId: id, path: [...(parent?.path ?? []), tactic.name] }
  const simulated = [...config.agents.values()].some(({ invoker }) => invoker.simulated)
  const deadlineAtMs = Math.min(options.deadlineAtMs ?? Infinity, startedAtMs + (timeoutMs ?? Infinity))
  const recorder = recordSession({
    id,
    tactic: tactic.name,
    tacticId: tactic.id,
    startedAtMs,
    task: call.task,
    tags,
    metadata,
    config: { name: config.name, hash: config.hash },
    simulated,
  })
  const stopScope = openStopScope(outerSignal === undefined ? [] : [outerSignal], timeoutMs)
  const { signal } = stopScope
  const tell = emit === undefined ? undefined : openTell(emit, signal)
  const executeChild = (child: PreparedCall, within: AbortSignal) =>
    execute(parts, child, { signal: within, deadlineAtMs, parent: place, ...(emit === undefined ? {} : { emit }) })
  const crew = openCrew({ parts, config, recorder, signal, deadlineAtMs, place, tell, executeChild })
  await tell?.(startEvent(place, tactic.name, parent, { startedAtMs, simulated }))
  const ended = await runTactic(call, crew.scope, signal)
  const endReason = signal.aborted && !ended.ok ? endReasonOf(signal) : null

  // What a tactic left running is stopped, and waited for: its cost belongs to this session.
  stopScope.stop('cancelled')
  await crew.settle()
  stopScope.dispose()

  const outcome = closeSession(ended, recorder, { endReason, endedAtMs: clock.now() })
  if (parent !== undefined) {
    const { state, cost } = outcome.session
    const { sessionId: parentId } = parent
    await tell?.({ type: 'tactic.completed', ...place, tactic: tactic.name, parentId, state, cost })
  }
  return outcome
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
  const state = end.endReason === null ? 'failure' : 'cancelled'
  const session = recorder.close({ ...end, state, result: null, error: { code, message, data } })
  return { ok: false, error: ended.error, session }
}

type Ended = { readonly ok: true; readonly output: unknown } | { readonly ok: false; readonly error: LllmError }

async function runTactic({ tactic, input }: PreparedCall, scope: Scope, signal: AbortSignal): Promise<Ended> {
  try {
    const result = await untilAborted(async () => new tactic.tactic(scope).call(input as never), signal)
    return { ok: true, output: await readResult(tactic, result) }
  } catch (error) {
    return { ok: false, error: signal.aborted ? stopError(signal) : toLllmError(error, tactic) }
  }
}

/** Codes that blame the request of whoever called. Thrown inside a tactic, they are about a request that the tactic made. */
const requestCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid-request',
  'invalid-task',
  'unknown-tactic',
  'unknown-config',
])

/** An exception of the author's code: its message may hold anything, so it stays in the cause, for the log. */
function toLllmError(error: unknown, { name }: BoundTactic): LllmError {
  if (!isLllmError(error)) {
    return new LllmError('tactic-failed', `The code of the tactic "${name}" threw an exception.`, {}, { cause: error })
  }
  if (!requestCodes.has(error.code)) return error
  const message = `The code of the tactic "${name}" made a call that does not fit. ${error.message}`
  return new LllmError('tactic-failed', message, {}, { cause: error })
}

async function readResult({ name, tactic }: BoundTactic, result: unknown): Promise<unknown> {
  const validated = await validate(tactic.spec.output, result)
  if (!validated.ok) {
    const issues = validated.issues.map(({ pointer, message }) => `${pointer || 'the result'}: ${message}`).join('; ')
    throw new LllmError(
      'invalid-result',
      `The result of the tactic "${name}" does not fit its output schema. ${issues}`,
    )
  }
  if (isJson(validated.value)) return validated.value
  throw new LllmError('invalid-result', `The result of the tactic "${name}" cannot be written as JSON.`)
}

function isJson(value: unknown): boolean {
  if (typeof value === 'string') return true
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}
