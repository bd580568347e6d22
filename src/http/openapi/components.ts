import { z } from 'zod'
import type { JsonSchema } from '../../domain/json.ts'
import { budgetList } from './budget-schemas.ts'
import { cost, costReport, sessionCost } from './cost-schemas.ts'
import { changedDelivery, delivery, deliveryList } from './delivery-schemas.ts'
import {
  agentCompleted,
  agentDelta,
  agentStarted,
  progress,
  sessionStarted,
  streamEnd,
  tacticCompleted,
  tacticStarted,
  toolCompleted,
  toolStarted,
} from './event-schemas.ts'
import { componentRef } from './operation.ts'
import {
  changedRun,
  changedRunBatch,
  run,
  runBatch,
  runBatchList,
  runList,
  runListItem,
  runResult,
  runResumed,
} from './run-schemas.ts'
import { scheduleList } from './schedule-schemas.ts'
import { batchCounts, health, info, problem, ready, tacticList, tacticRecord } from './service-schemas.ts'
import {
  agentCall,
  llmCall,
  message,
  session,
  sessionList,
  sessionListItem,
  sessionSummary,
  toolCall,
} from './session-schemas.ts'

/** The shapes that answers have in common, by the names that they have in the document. */
export const components = {
  AgentCall: agentCall,
  AgentCompleted: agentCompleted,
  AgentDelta: agentDelta,
  AgentStarted: agentStarted,
  BatchCounts: batchCounts,
  BudgetList: budgetList,
  ChangedDelivery: changedDelivery,
  ChangedRun: changedRun,
  ChangedRunBatch: changedRunBatch,
  Cost: cost,
  CostReport: costReport,
  Delivery: delivery,
  DeliveryList: deliveryList,
  Health: health,
  Info: info,
  LlmCall: llmCall,
  Message: message,
  Problem: problem,
  Progress: progress,
  Ready: ready,
  Run: run,
  RunBatch: runBatch,
  RunBatchList: runBatchList,
  RunList: runList,
  RunListItem: runListItem,
  RunResult: runResult,
  RunResumed: runResumed,
  ScheduleList: scheduleList,
  Session: session,
  SessionCost: sessionCost,
  SessionList: sessionList,
  SessionListItem: sessionListItem,
  SessionStarted: sessionStarted,
  SessionSummary: sessionSummary,
  StreamEnd: streamEnd,
  Tactic: tacticRecord,
  TacticCompleted: tacticCompleted,
  TacticList: tacticList,
  TacticStarted: tacticStarted,
  ToolCall: toolCall,
  ToolCompleted: toolCompleted,
  ToolStarted: toolStarted,
} as const

/** Describes the shared shapes as JSON Schemas that refer to one another. */
export function describeComponents(): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(components)) registry.add(schema, { id })
  // As inputs, because there objects stay open: an answer may get further members later.
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => componentRef(id).$ref })
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIds(schema)]))
}

const described = new WeakMap<z.ZodType, JsonSchema>()

/** Describes the schema of a body or of a query: once, because each tactic has the same ones. */
export function describeRequest(schema: z.ZodType): JsonSchema {
  const known = described.get(schema) ?? withoutIds(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
  described.set(schema, known)
  return known
}

function withoutIds({ $schema: _, $id: __, id: ___, ...schema }: Readonly<Record<string, unknown>>): JsonSchema {
  return schema
}
