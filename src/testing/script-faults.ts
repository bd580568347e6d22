import type { ModelRequest } from '../domain/invoker.ts'
import { textOf } from '../domain/message.ts'
import type { ScriptPart } from './scripted-model.ts'

/** Characters of a message that a fault quotes. */
const quotedMax = 300

/** Who asked which model what, in one line. */
export function tellRequest({ agent, model, messages }: ModelRequest): string {
  const last = messages.at(-1)
  const text = last === undefined ? '' : textOf(last)
  const quoted = text.length > quotedMax ? `${text.slice(0, quotedMax).toWellFormed()}…` : text
  const who = agent === undefined ? 'Somebody' : `The agent "${agent}"`
  return `${who} asked the model "${model}", ${last?.role ?? 'nobody'} said last: ${JSON.stringify(quoted)}`
}

/** Why there is no line for a request. `count` is its place among all requests, from 1. */
export function tellRunOut(
  request: ModelRequest,
  count: number,
  part: ScriptPart | undefined,
  parts: readonly ScriptPart[],
): string {
  const asked = `Request ${count}: ${tellRequest(request)}`
  if (part === undefined) {
    const known = parts.map(({ agent }) => agent).join(', ')
    return `The script has no lines for this agent, but for: ${known === '' ? 'nobody' : known}. ${asked}`
  }
  const whose = part.agent === undefined ? '' : ` for the agent "${part.agent}"`
  return `The script has run out, for it has ${countLines(part.count)}${whose}. ${asked}`
}

export function tellUnused({ agent, used, count }: ScriptPart): string {
  const whose = agent === undefined ? '' : ` for the agent "${agent}"`
  return `Not used: the last ${count - used} of the script's ${countLines(count)}${whose}.`
}

function countLines(count: number): string {
  return count === 1 ? '1 line' : `${count} lines`
}
