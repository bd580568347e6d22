// `lllm/client`: what programs that call a service may import. It runs in browsers as well: nothing of Node is below it.

export type {
  BatchAnswer,
  BatchItem,
  BatchSums,
  CallAnswer,
  CostRow,
  CostsAnswer,
  CostTotals,
  Page,
  ServiceInfo,
  SessionAnswer,
  SessionCost,
  SessionItem,
  TacticRecord,
} from './client/answers.ts'
export type { BatchOptions, CallLimits, CallOptions, KeyedOptions, SingleCallOptions } from './client/call-options.ts'
export { type Client, type ClientOf, createClient } from './client/create-client.ts'
export type { StreamEvent, StreamEvents, StreamEventType } from './client/events.ts'
export { type FaultKind, LllmFault } from './client/fault.ts'
export type { FollowOptions } from './client/follow-run.ts'
export { LllmProblem } from './client/problem.ts'
export type {
  ChangedRun,
  EndedRun,
  ExpiredRun,
  RunBatchRecord,
  RunError,
  RunEvent,
  RunItem,
  RunRecord,
  RunResult,
  ScheduleRecord,
} from './client/run-answers.ts'
export type { RunBatchHandle } from './client/run-batch-handle.ts'
export type { RunBatchClient, RunClient, RunQuery } from './client/run-client.ts'
export type { CancelOptions, RunHandle } from './client/run-handle.ts'
export type { RunBatchOptions, RunOptions } from './client/run-options.ts'
export type { CostsQuery, PageQuery, SessionClient, SessionQuery } from './client/session-client.ts'
export type { BatchStream } from './client/stream-batch.ts'
export type { CallStream } from './client/stream-call.ts'
export type { TacticClient } from './client/tactic-client.ts'
export type { ClientOptions, RequestOptions } from './client/transport.ts'
export type { WaitOptions } from './client/wait-until.ts'
export type { ErrorCode } from './domain/errors.ts'
export type { ProblemRecord } from './domain/problem-record.ts'
export type { RunState } from './domain/run.ts'
export type { SessionState } from './domain/session.ts'
export type { CostRecord, SessionRecord, SessionSummaryRecord } from './domain/session-record.ts'
export type { CostGroup } from './domain/session-store.ts'
