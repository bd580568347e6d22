// What authors of tactics, and programs that call them, may import. Everything else is the house's own.

export type { Chat, ChatSetup } from './chat.ts'
export type { ConfigValue } from './config-value.ts'
export { createServer, type LllmPluginOptions, lllmPlugin } from './create-server.ts'
export type { Agent, ForkOptions, Reply } from './domain/agent.ts'
export { type Cost, costUsd, type Usage } from './domain/cost.ts'
export { type ErrorCode, isLllmError, LllmError } from './domain/errors.ts'
export type { Emit, EngineEvent } from './domain/event.ts'
export type { AssistantMessage, ImagePart, Message, ToolCall, UserMessage } from './domain/message.ts'
export { definePrompt, type Handlers, type Parser, type Prompt } from './domain/prompt.ts'
export { type RemoteOptions, type RemoteTactic, remoteTactic } from './domain/remote-tactic.ts'
export type { Session, SessionState } from './domain/session.ts'
export { toSummaryRecord as summaryOf } from './domain/session-record.ts'
export {
  type BatchOptions,
  type GivenTo,
  type InputOf,
  type OutputOf,
  type Settled,
  type SubTactic,
  Tactic,
  type TacticClass,
} from './domain/tactic.ts'
export { tagParser } from './domain/tag-parser.ts'
export { defineTool, type Tool, type ToolContext } from './domain/tool.ts'
export type { CallReport, HandleOf, HandleOptions, TacticHandle } from './engine/handle.ts'
export { type LoadRuntimeOptions, loadRuntime } from './load-runtime.ts'
export type { Runtime } from './runtime.ts'
export type { ServerOptions, ServiceOptions } from './service-options.ts'
