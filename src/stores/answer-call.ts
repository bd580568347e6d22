import type { StoreTables } from './budget-tables.ts'
import { callsOf } from './named-methods.ts'
import { explainSqliteError } from './sqlite-errors.ts'
import type { WorkerFailure } from './worker-link.ts'

export type TablesAnswer = { readonly value: unknown } | { readonly failure: WorkerFailure }

type Refusals = Awaited<ReturnType<StoreTables['saveAll']>>

/** Calls a method of the tables of a SQLite file. What goes wrong is an answer, in words for whoever asked. Never rejects. */
export async function answerCall(
  tables: StoreTables,
  method: keyof StoreTables,
  args: readonly unknown[],
): Promise<TablesAnswer> {
  try {
    const value = await callsOf(tables)(method, args)
    return { value: method === 'saveAll' ? (value as Refusals).map(tellRefusal) : value }
  } catch (error) {
    return { failure: toFailure(error) }
  }
}

function tellRefusal({ index, error }: Refusals[number]) {
  return { index, error: toFailure(error) }
}

function toFailure(cause: unknown): WorkerFailure {
  return { message: explainSqliteError(cause), cause }
}
