import type { World } from '../domain/clock.ts'
import { listKnown } from '../domain/errors.ts'
import { canonicalJson, type JsonObject } from '../domain/json.ts'
import type { ToolCall, ToolMessage, ToolSpec } from '../domain/message.ts'
import { validate } from '../domain/schema.ts'
import { asNode } from '../domain/schema-node.ts'
import { toStrictSchema } from '../domain/strict-schema.ts'
import { compileTemplate } from '../domain/template.ts'
import type { Tool, ToolContext } from '../domain/tool.ts'
import type { Span } from '../domain/tracing.ts'
import { untilAborted } from '../domain/until-aborted.ts'
import type { AgentObserver } from './agent-observer.ts'
import type { AgentAnnouncer } from './announce.ts'
import type { AgentJournal } from './asking.ts'
import { endTool, startTool } from './call-spans.ts'
import { readJson } from './contract.ts'
import type { AgentCallRecorder } from './session-recorder.ts'

/** Characters of a tool's result that a model is told at the most. */
const resultLengthMax = 200_000
/** Tool calls of one reply that are executed; further ones are answered with a note. */
const callsPerReplyMax = 64

/** The tools of one `respond()`. */
export interface Toolbox {
  readonly specs: readonly ToolSpec[]
  /** Runs all calls of a reply at once. Each is answered, whatever happens, in the order of the calls. */
  run(calls: readonly ToolCall[], step: number): Promise<readonly ToolMessage[]>
}

interface Equipment {
  readonly tools: readonly Tool[]
  readonly world: World
  readonly recorder: AgentCallRecorder
  readonly announcer: AgentAnnouncer | undefined
  readonly observer: AgentObserver | undefined
  readonly signal: AbortSignal
  /** Of the `respond()`. */
  readonly span: Span
  readonly journal: AgentJournal | undefined
  /** The prompt's template for a result, with the slots `{name}` and `{result}`. */
  readonly interrupt: string
}

interface ReadyTool {
  readonly tool: Tool
  readonly spec: ToolSpec
  restore(value: unknown): unknown
}

/** What is sent of a tool does not change: it is worked out once. */
const readyTools = new WeakMap<Tool, ReadyTool>()

function makeReady(tool: Tool): ReadyTool {
  const known = readyTools.get(tool)
  if (known !== undefined) return known
  const { schema, strict, restore } = toStrictSchema(tool.parameters)
  const spec = { name: tool.name, description: tool.description, parameters: schema as JsonObject, strict }
  const ready = { tool, spec, restore }
  readyTools.set(tool, ready)
  return ready
}

type Answer = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly text: string }

export function openToolbox(equipment: Equipment): Toolbox {
  const ready = new Map(equipment.tools.map((tool) => [tool.name, makeReady(tool)]))
  // Calls that succeeded or are under way, by name and arguments. One that failed may be tried once more.
  const earlierCalls = new Map<string, Promise<Answer>>()

  async function answer(call: ToolCall, index: number): Promise<Answer> {
    if (index >= callsPerReplyMax) {
      return { ok: false, text: `Not executed: a reply may hold at most ${callsPerReplyMax} tool calls.` }
    }
    const known = ready.get(call.name)
    if (known === undefined) {
      return { ok: false, text: `There is no tool "${call.name}". ${listKnown(call.name, [...ready.keys()])}` }
    }
    const args = readJson(call.arguments === '' ? '{}' : call.arguments)
    if (!args.ok || asNode(args.parsed) === undefined) {
      return { ok: false, text: 'The arguments are not a JSON object. Call the tool again with one.' }
    }
    const identity = `${call.name} ${canonicalJson(args.parsed)}`
    // Of identical calls in one reply each waits for the one before it, for that may fail.
    for (let earlier = earlierCalls.get(identity); earlier !== undefined; earlier = earlierCalls.get(identity)) {
      if ((await earlier).ok) return { ok: true, text: repeatedNote(call.name) }
      if (earlierCalls.get(identity) === earlier) earlierCalls.delete(identity)
    }
    const answered = runOnce(equipment, known, call, args.parsed)
    earlierCalls.set(identity, answered)
    return answered
  }

  return {
    specs: [...ready.values()].map(({ spec }) => spec),
    run(calls, step) {
      const { render } = compileTemplate(equipment.interrupt)
      return Promise.all(
        calls.map(async (call, index) => {
          const { world, recorder, announcer } = equipment
          const startedAtMs = world.clock.now()
          await announcer?.toolStarted(call)
          const { ok, text } = await answer(call, index)
          const content = render({ name: call.name, result: text })
          const error = ok ? null : text
          recorder.toolCall({
            id: call.id,
            step,
            name: call.name,
            arguments: call.arguments,
            result: content,
            error,
            startedAtMs,
            durationMs: world.clock.now() - startedAtMs,
          })
          await announcer?.toolCompleted(call, content, error)
          return { role: 'tool', content, toolCallId: call.id } as const
        }),
      )
    },
  }
}

function repeatedNote(name: string): string {
  return `"${name}" has been called with identical arguments before. See the earlier result.`
}

/** In a run, a call that another attempt has got to its end is not made again. */
async function runOnce(equipment: Equipment, known: ReadyTool, call: ToolCall, args: unknown): Promise<Answer> {
  const { journal, signal, world } = equipment
  const run = (idempotencyKey: string) => runTraced(equipment, known, call, args, idempotencyKey)
  if (journal === undefined) return run(world.newId())
  const slot = journal.run.open(journal.scope, 'tool', [journal.agent, known.tool.name, args])
  const { past } = slot
  if (past?.state === 'done' || past?.state === 'failed') {
    const { id, name } = call
    equipment.span.event('lllm.tool.replayed', () => ({ 'gen_ai.tool.name': name, 'gen_ai.tool.call.id': id }))
    return JSON.parse(past.record) as Answer
  }
  await slot.write('begun', null)
  const answer = await run(`${journal.run.runId}.${slot.key}`)
  // What was stopped has come to nothing that holds.
  if (!signal.aborted) await slot.write(answer.ok ? 'done' : 'failed', answer)
  return answer
}

async function runTraced(
  { span: above, signal, observer }: Equipment,
  known: ReadyTool,
  call: ToolCall,
  args: unknown,
  idempotencyKey: string,
): Promise<Answer> {
  const span = startTool(above, call, known.tool.description)
  const run = () => runTool(known, args, { signal, idempotencyKey })
  const answer = await span.within(run).catch((error: unknown) => toFailure(error, signal))
  endTool(span, answer, signal)
  observer?.toolEnded(answer.ok)
  return answer
}

async function runTool({ tool, restore }: ReadyTool, given: unknown, context: ToolContext): Promise<Answer> {
  let args = restore(given)
  if (tool.schema !== undefined) {
    const validated = await validate(tool.schema, args)
    if (!validated.ok) {
      const issues = validated.issues.map(({ pointer, message }) => `${pointer || 'the arguments'}: ${message}`)
      return { ok: false, text: `The arguments do not fit. ${issues.join('; ')}` }
    }
    args = validated.value
  }
  const result = await untilAborted(async () => tool.run(args, context), context.signal)
  return { ok: true, text: toText(result) }
}

/** What a tool throws is told to the model. Where the call was stopped, nobody is told any more; it is for the record. */
function toFailure(error: unknown, signal: AbortSignal): Answer {
  if (signal.aborted) return { ok: false, text: 'The call was stopped.' }
  return { ok: false, text: shorten(`Error: ${error instanceof Error ? error.message : String(error)}`) }
}

function toText(result: unknown): string {
  return shorten(typeof result === 'string' ? result : (JSON.stringify(result) ?? 'done'))
}

function shorten(text: string): string {
  if (text.length <= resultLengthMax) return text
  return `${text.slice(0, resultLengthMax)}\n[cut off: the result has ${text.length} characters]`
}
