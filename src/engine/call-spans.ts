import type { AgentPlan } from '../domain/agent.ts'
import { costUsd } from '../domain/cost.ts'
import { isLllmError } from '../domain/errors.ts'
import type { Message, ToolCall } from '../domain/message.ts'
import type { RemoteTarget } from '../domain/remote.ts'
import type { AgentCall, Session } from '../domain/session.ts'
import { toldTenant } from '../domain/tenant.ts'
import type { Span, SpanAttributes, SpanOrigin, SpanStart, Tracing } from '../domain/tracing.ts'
import type { BoundTactic, Outcome, PreparedCall } from './engine.ts'
import { toInputMessages, toOutputMessages, toText } from './trace-content.ts'

// Names are those of OpenTelemetry's conventions for generative AI; what these have no name for begins with `lllm.`.

/** Where a call stands in a trace. */
export interface CallTrace {
  /** What it is below. Left out: it is the first of its trace in this process, and `origin` says more. */
  readonly span?: Span
  readonly origin?: SpanOrigin
  /** Of an item of a batch. */
  readonly batchIndex?: number
  readonly tenant?: string
}

/** Begins the span of one call of a tactic. */
export function startWorkflow(
  tracing: Tracing,
  { tactic, config, task }: PreparedCall,
  at: CallTrace,
  id: string,
): Span {
  const span = startCall(tracing, at, () => ({
    name: `invoke_workflow ${tactic.name}`,
    withoutContent: config.storeContent === 'none',
    attributes: {
      ...aboutTactic(tactic),
      'lllm.session.id': id,
      'lllm.config.name': config.name,
      'lllm.batch.index': at.batchIndex,
      'lllm.tenant': toldTenant(at.tenant),
    },
  }))
  return withTask(span, task)
}

/** Begins the span of one call of another service's tactic. */
export function startRemote(
  tracing: Tracing,
  { tactic, task }: PreparedCall,
  at: CallTrace,
  target: RemoteTarget,
): Span {
  const span = startCall(tracing, at, () => ({
    name: `invoke_workflow ${tactic.name}`,
    kind: 'client',
    attributes: {
      ...aboutTactic(tactic),
      ...aboutServer(target.url),
      'lllm.batch.index': at.batchIndex,
      'lllm.tenant': toldTenant(at.tenant),
    },
  }))
  return withTask(span, task)
}

export function endWorkflow(span: Span, outcome: Outcome): void {
  const { session } = outcome
  span.set(() => ({
    'lllm.session.id': session.id,
    'lllm.session.state': session.state,
    'lllm.session.cost.usd': costUsd(session.cost) ?? undefined,
    'lllm.session.unpriced_calls': session.cost.unpricedCalls || undefined,
    'gen_ai.output.messages':
      span.takesContent && outcome.ok ? toOutputMessages(asMessage(toText(outcome.output)), 'stop') : undefined,
  }))
  span.end(outcome.ok ? undefined : outcome.error.code)
}

/** Begins the span of one `respond()`. */
export function startAgentCall(
  above: Span,
  { name, model, invoker }: AgentPlan,
  call: Pick<AgentCall, 'id' | 'dialog'>,
  messages: readonly Message[],
): Span {
  const span = above.startChild(() => ({
    name: `invoke_agent ${name}`,
    attributes: {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': name,
      'gen_ai.provider.name': invoker.name,
      'gen_ai.request.model': model,
      'lllm.agent_call.id': call.id,
      'lllm.dialog.alias': call.dialog,
    },
  }))
  if (span.takesContent) span.set(() => ({ 'gen_ai.input.messages': toInputMessages(messages) }))
  return span
}

export function endAgentCall(span: Span, { state, delivery }: AgentCall, thrown?: unknown): void {
  span.set(() => ({
    'lllm.agent_call.state': state,
    'gen_ai.output.messages': span.takesContent && delivery !== null ? toOutputMessages(delivery, 'stop') : undefined,
  }))
  const code = isLllmError(thrown) ? thrown.code : 'internal-error'
  span.end(thrown === undefined ? undefined : code)
}

/** Begins the span of a tool that is about to be run. */
export function startTool(above: Span, { id, name, arguments: args }: ToolCall, description: string): Span {
  const span = above.startChild(() => ({
    name: `execute_tool ${name}`,
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.description': description,
      'gen_ai.tool.call.id': id,
    },
  }))
  if (span.takesContent) span.set(() => ({ 'gen_ai.tool.call.arguments': args }))
  return span
}

export function endTool(
  span: Span,
  answer: { readonly ok: boolean; readonly text: string },
  signal: AbortSignal,
): void {
  if (span.takesContent) span.set(() => ({ 'gen_ai.tool.call.result': answer.text }))
  const error = signal.aborted ? 'cancelled' : 'tool-failed'
  span.end(answer.ok ? undefined : error)
}

/** Where requests go. Of a URL the rest is left out: it may hold what is secret. */
export function aboutServer(url: string | undefined): SpanAttributes {
  if (url === undefined || !URL.canParse(url)) return {}
  const { hostname, port, protocol } = new URL(url)
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) }
}

function startCall(tracing: Tracing, { span, origin = {} }: CallTrace, describe: () => SpanStart): Span {
  return span === undefined ? tracing.startSpan(describe, origin) : span.startChild(describe)
}

/** A workflow goes by the name of an agent in the newer versions of the conventions, and by one of its own in the older. */
function aboutTactic({ name, id }: BoundTactic): SpanAttributes {
  return {
    'gen_ai.operation.name': 'invoke_workflow',
    'gen_ai.agent.name': name,
    'gen_ai.workflow.name': name,
    'lllm.tactic.id': id,
  }
}

function withTask(span: Span, task: Session['task']): Span {
  if (span.takesContent)
    span.set(() => ({ 'gen_ai.input.messages': toInputMessages([{ role: 'user', content: toText(task) }]) }))
  return span
}

function asMessage(content: string) {
  return { role: 'assistant', content } as const
}
