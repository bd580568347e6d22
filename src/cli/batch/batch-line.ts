import { hash } from 'node:crypto'
import { costUsd } from '../../domain/cost.ts'
import type { LllmError } from '../../domain/errors.ts'
import { canonicalJson } from '../../domain/json.ts'
import type { BoundConfig, BoundTactic, Outcome } from '../../engine/engine.ts'
import { toItemError } from '../run/run-report.ts'

/** Of SHA-256, in hex: two results of one batch are never taken for each other by chance. */
const hashLength = 16

/** What a tactic with its config is known by. */
export function hashOfWork({ id }: BoundTactic, config: BoundConfig): string {
  return shortHash(`${id}\n${config.hash}`)
}

export function hashOfTask(task: unknown): string {
  return shortHash(canonicalJson(task))
}

function shortHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, hashLength)
}

/** The hash of a line: what worked, and on what. */
export function lineHash(work: string, task: string): string {
  return `${work}-${task}`
}

export type ItemStatus = 'success' | 'failure' | 'cancelled'

/** How a task of a batch ended. Without an outcome its call was never begun. */
export type Ended = Outcome | { readonly ok: false; readonly error: LllmError; readonly session: null }

export function statusOf(ended: Ended): ItemStatus {
  if (ended.ok) return 'success'
  return ended.session?.state === 'cancelled' ? 'cancelled' : 'failure'
}

/** A result as a line of the output, with its end. */
export function toLine(index: number, ended: Ended, hashOfLine: string): string {
  const { session } = ended
  const line = {
    index,
    status: statusOf(ended),
    ...(ended.ok ? { result: ended.output ?? null } : { error: toItemError(ended.error) }),
    session_id: session?.id ?? null,
    cost_usd: session === null ? 0 : costUsd(session.cost),
    hash: hashOfLine,
  }
  return `${JSON.stringify(line)}\n`
}

/** What a line of an earlier run tells. */
export interface ReadLine {
  readonly index: number
  readonly isSuccess: boolean
  readonly work: string
  readonly task: string
}

/** Undefined: the text is no line that {@link toLine} wrote. */
export function readLine(text: string): ReadLine | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { index, status, hash: found } = value as Readonly<Record<string, unknown>>
  const [, work, task] = typeof found === 'string' ? (/^([0-9a-f]{16})-([0-9a-f]{16})$/.exec(found) ?? []) : []
  if (!Number.isSafeInteger(index) || Number(index) < 0 || work === undefined || task === undefined) return undefined
  return { index: Number(index), isSuccess: status === 'success', work, task }
}
