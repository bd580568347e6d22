import { costUsd } from '../../domain/cost.ts'
import type { LllmError } from '../../domain/errors.ts'
import type { Session } from '../../domain/session.ts'
import type { Outcome } from '../../engine/engine.ts'
import { sessionMember, toCallAnswer } from '../../http/call-answer.ts'
import { harmlessText } from '../display-text.ts'
import { tellCost, tellCount, tellDuration } from '../look/figures.ts'
import type { Output, Shell } from '../shell.ts'
import { write, writeJson } from '../write.ts'
import { tellTokens } from './live-view.ts'
import type { RunFlags } from './run-command.ts'

/** Writes the result of a call, and nothing else, in the form that was asked for. */
export async function writeResult(stdout: Output, outcome: Outcome, { json, session }: RunFlags): Promise<void> {
  if (json === true || session === true) return writeJson(stdout, toAnswer(outcome, session === true))
  if (!outcome.ok) return
  if (typeof outcome.output !== 'string') return writeJson(stdout, outcome.output ?? null)
  // A program gets the text as it is; a terminal would obey what is in it.
  const text = stdout.isTTY === true ? harmlessText(outcome.output) : outcome.output
  await write(stdout, `${text}\n`)
}

function toAnswer(outcome: Outcome, withSession: boolean) {
  const { session } = outcome
  if (outcome.ok) return toCallAnswer(outcome.output, session, withSession)
  return {
    error: toItemError(outcome.error),
    session_id: session.id,
    cost_usd: costUsd(session.cost),
    ...sessionMember(session, withSession),
  }
}

/** An error as a command prints it among its results. */
export function toItemError({ code, message }: LllmError) {
  return { code, message }
}

/** One line: how a call ended, what it took, and where it can be looked up. */
export function tellEnd(session: Session): string {
  const { state, cost, startedAtMs, endedAtMs, id } = session
  const figures = [
    tellDuration(endedAtMs - startedAtMs),
    tellCount(countAgentCalls(session), 'agent call'),
    tellTokens(cost.totalTokens),
    tellCost(cost),
  ]
  return `${state}: ${figures.join(', ')}, session ${id}`
}

function countAgentCalls({ agentCalls, subSessions }: Session): number {
  return subSessions.reduce((count, child) => count + countAgentCalls(child), agentCalls.length)
}

/** Bounds what an exception of an author may say at once. */
const causeLengthMax = 2_000

/** What went wrong. What the code of a tactic threw is shown to whoever runs it here: it is the author, or close to one. */
export function tellError(error: LllmError, env: Shell['env']): string {
  const { message, code, cause } = error
  if (code !== 'tactic-failed' || !(cause instanceof Error)) return harmlessText(message)
  const isDebugging = ['debug', 'trace'].includes(env['LLLM_LOG_LEVEL'] ?? '')
  const told = (isDebugging && cause.stack) || `${cause.name}: ${cause.message}`
  return `${harmlessText(message)}\n${harmlessText(told.slice(0, causeLengthMax))}${isDebugging ? '' : '\nLLLM_LOG_LEVEL=debug tells where.'}`
}
