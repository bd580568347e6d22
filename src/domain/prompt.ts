import { LllmError, listKnown } from './errors.ts'
import type { OutputFormat } from './invoker.ts'
import type { Schema, SchemaOutput } from './schema.ts'
import { type ArgsOf, compileTemplate, type PromptArgs } from './template.ts'
import type { Tool } from './tool.ts'

/** Reads a reply. What it throws is told to the model, which may then try again: write it for the model. */
export interface Parser<Parsed = unknown> {
  parse(text: string): Parsed
  /** What the parser looks for, where that can be told. */
  readonly format?: OutputFormat
}

/** What is said to the model when its reply was no plain answer. Slots in braces are filled in. */
export interface Handlers {
  /** After a reply that cannot be used. Slots: `{error}`. */
  readonly exception: string
  /** As the result of a tool call. Slots: `{name}`, `{result}`. */
  readonly interrupt: string
  /** When the rounds of tool calls are used up. Slots: none. */
  readonly finalInterrupt: string
}

export const defaultHandlers: Handlers = {
  exception: 'Your reply could not be used: {error}\n\nPlease reply again, in full, with this corrected.',
  interrupt: '{result}',
  finalInterrupt: 'You cannot call tools any more. Give your final answer now, from what you have.',
}

/**
 * A prompt is a function from arguments to text, with a contract for the reply.
 * It is immutable: any number of calls share one.
 */
export interface Prompt<Args = PromptArgs, Parsed = unknown> {
  /** Where it was found: its file's path in `prompts/` without the extension, and its export's name where there are several. */
  readonly path?: string
  readonly description?: string
  readonly template: string
  readonly slots: readonly string[]
  /** The reply is JSON that fits this schema. */
  readonly output?: Schema
  /** The reply is text for this parser. A prompt has an output schema or a parser, not both. */
  readonly parser?: Parser
  readonly tools: readonly Tool[]
  /** Names of MCP servers of the operator's settings whose tools are offered. */
  readonly mcpServers: readonly string[]
  readonly handlers: Handlers
  /** @throws LllmError `missing-variables` */
  render(args: Args): string
  /** A variant: what is given replaces what this prompt has; handlers are replaced one by one. */
  extend<const Text extends string = string, Out extends Schema = Schema, Read = Parsed>(
    more: PromptSpec<Text, Out, Read>,
  ): Prompt<string extends Text ? Args : ArgsOf<Text>, Schema extends Out ? Read : SchemaOutput<Out>>
  /** The type of what a reply is parsed to. It exists for the compiler only. */
  readonly parsed?: Parsed
}

export interface PromptSpec<Text extends string = string, Out extends Schema = Schema, Parsed = unknown> {
  readonly path?: string
  readonly description?: string
  readonly template?: Text
  readonly output?: Out
  readonly parser?: Parser<Parsed>
  readonly tools?: readonly Tool[]
  readonly mcpServers?: readonly string[]
  readonly handlers?: Partial<Handlers>
}

/** The slots that each handler is given a value for. */
const handlerSlots: Readonly<Record<keyof Handlers, readonly string[]>> = {
  exception: ['error'],
  interrupt: ['name', 'result'],
  finalInterrupt: [],
}

/** A prompt of any arguments and any reply: what a dialog holds. */
// biome-ignore lint/suspicious/noExplicitAny: arguments are contravariant; only `any` admits every prompt.
export type AnyPrompt = Prompt<any, unknown>

const promptBrand = Symbol.for('lllm.prompt')

/**
 * Makes a prompt. Its slots and the type of its reply are inferred.
 *
 * @throws LllmError `invalid-prompt` when it has two contracts, two tools of one name, or a handler with an unknown slot.
 */
export function definePrompt<const Text extends string, Out extends Schema = Schema, Parsed = string>(
  spec: PromptSpec<Text, Out, Parsed> & { readonly template: Text },
): Prompt<ArgsOf<Text>, Schema extends Out ? Parsed : SchemaOutput<Out>> {
  return makePrompt(spec) as never
}

export function isPrompt(value: unknown): value is AnyPrompt {
  return typeof value === 'object' && value !== null && promptBrand in value
}

function makePrompt(spec: PromptSpec & { readonly template: string }): AnyPrompt {
  const handlers = { ...defaultHandlers, ...spec.handlers }
  checkSpec(spec, handlers)
  const { source, slots, render } = compileTemplate(spec.template)
  const prompt = {
    ...(spec.path === undefined ? {} : { path: spec.path }),
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.output === undefined ? {} : { output: spec.output }),
    ...(spec.parser === undefined ? {} : { parser: spec.parser }),
    template: source,
    slots,
    render,
    tools: spec.tools ?? [],
    mcpServers: spec.mcpServers ?? [],
    handlers,
    extend: (more: PromptSpec) => makePrompt(extendSpec(spec, more)),
    [promptBrand]: true,
  }
  return Object.freeze(prompt) as unknown as AnyPrompt
}

function checkSpec(spec: PromptSpec, handlers: Handlers): void {
  const named = spec.path === undefined ? 'The prompt' : `The prompt "${spec.path}"`
  if (spec.output !== undefined && spec.parser !== undefined) {
    throw new LllmError('invalid-prompt', `${named} has an output schema and a parser: it can have one of them.`)
  }
  const tools = new Set<string>()
  for (const { name } of spec.tools ?? []) {
    if (tools.has(name)) throw new LllmError('invalid-prompt', `${named} has two tools "${name}".`)
    tools.add(name)
  }
  for (const [handler, known] of Object.entries(handlerSlots)) {
    const { slots } = compileTemplate(handlers[handler as keyof Handlers])
    const unknown = slots.find((slot) => !known.includes(slot))
    if (unknown === undefined) continue
    throw new LllmError(
      'invalid-prompt',
      `${named}: its handler ${handler} has a slot {${unknown}}, which nothing fills. ${listKnown(unknown, known)}`,
    )
  }
}

function extendSpec(spec: PromptSpec & { readonly template: string }, more: PromptSpec) {
  const { output, parser, ...rest } = spec
  const contract = more.output === undefined && more.parser === undefined ? { output, parser } : {}
  return {
    ...rest,
    ...Object.fromEntries(Object.entries(contract).filter(([, value]) => value !== undefined)),
    ...more,
    template: more.template ?? spec.template,
    handlers: { ...spec.handlers, ...more.handlers },
  }
}
