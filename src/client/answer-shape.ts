import type { BatchAnswer, BatchItem, BatchSums, CallAnswer, Page, SessionAnswer } from './answers.ts'
import { LllmFault } from './fault.ts'

// What any later code relies on is looked at. That results fit their types is the promise of the service, which validates them.

/** @throws LllmFault `protocol`, as all of these do. */
export function asCallAnswer<Answer extends CallAnswer<unknown>>(value: unknown): Answer {
  return expectMembers(value, 'result', 'session_id', 'cost_usd') as never
}

export function asSessionAnswer<Output>(value: unknown): SessionAnswer<Output> {
  expectMembers(expectMembers(value, 'session')['session'], 'id', 'state', 'cost', 'sub_sessions')
  return asCallAnswer(value)
}

export function asBatchAnswer<Output>(value: unknown): BatchAnswer<Output> {
  const answer = expectMembers(value, 'items', 'counts', 'cost_usd')
  if (!Array.isArray(answer['items'])) throw unfit()
  return answer as never
}

export function asBatchItem<Output>(value: unknown): BatchItem<Output> {
  return expectMembers(value, 'index', 'status', 'session_id') as never
}

export function asBatchSums(value: unknown): BatchSums {
  return expectMembers(value, 'counts', 'cost_usd') as never
}

export function asPage<Item>(value: unknown): Page<Item> {
  const page = expectMembers(value, 'data', 'next_cursor')
  if (!Array.isArray(page['data'])) throw unfit()
  return page as never
}

export function expectMembers(value: unknown, ...members: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw unfit()
  if (!members.every((member) => Object.hasOwn(value, member))) throw unfit()
  return value as Readonly<Record<string, unknown>>
}

function unfit(): LllmFault {
  return new LllmFault('protocol', 'The answer is JSON, but not what this service answers with.', { status: 200 })
}
