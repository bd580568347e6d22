import type { ForkOptions } from './agent.ts'
import type { Message } from './message.ts'
import type { AnyPrompt } from './prompt.ts'

/** One conversation of an agent. It only ever grows. */
export interface Dialog {
  readonly alias: string
  readonly messages: readonly Message[]
  /** The prompt whose tools, contract and handlers govern the current turn. Undefined: the system prompt. */
  readonly turnPrompt: AnyPrompt | undefined
  /** Where it was forked from: the alias of the parent, and how many of its messages there were. */
  readonly parent: { readonly alias: string; readonly splitPoint: number } | undefined
}

export function openDialog(alias: string, systemPrompt: string): Dialog {
  return { alias, messages: [{ role: 'system', content: systemPrompt }], turnPrompt: undefined, parent: undefined }
}

export function appendMessages(dialog: Dialog, ...messages: readonly Message[]): Dialog {
  return { ...dialog, messages: [...dialog.messages, ...messages] }
}

/** A copy under another alias. With `lastN`, it keeps the first K and the last N messages; a tool call is never parted from its results. */
export function forkDialog(dialog: Dialog, alias: string, { lastN, firstK = 1 }: ForkOptions = {}): Dialog {
  const { messages } = dialog
  const parent = { alias: dialog.alias, splitPoint: messages.length }
  if (lastN === undefined || firstK + lastN >= messages.length) return { ...dialog, alias, parent }
  const headEnd = wholeUnitEnd(messages, firstK)
  const tailStart = Math.max(headEnd, wholeUnitStart(messages, messages.length - lastN))
  return { ...dialog, alias, parent, messages: [...messages.slice(0, headEnd), ...messages.slice(tailStart)] }
}

/** Moves a cut forward until no results of the tool calls before it lie behind it. */
function wholeUnitEnd(messages: readonly Message[], cut: number): number {
  let end = cut
  while (messages[end]?.role === 'tool') end++
  return end
}

/** Moves a cut back until the results behind it have their tool calls with them. */
function wholeUnitStart(messages: readonly Message[], cut: number): number {
  let start = cut
  while (start > 0 && messages[start]?.role === 'tool') start--
  return start
}
