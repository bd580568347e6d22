import type { AgentPlace, Emit, EngineEvent } from '../../domain/event.ts'
import { harmlessText } from '../display-text.ts'
import type { Output } from '../shell.ts'
import { write } from '../write.ts'

/** A line of a reply that is longer is printed in pieces, so that nothing is kept without end. */
const lineLengthMax = 8_192

/** Takes events and prints the replies of the models. */
export interface ReplyPrinter {
  readonly emit: Emit
  /** Prints what is left. */
  end(): Promise<void>
}

export function printReplies(output: Output): ReplyPrinter {
  return output.isTTY === true ? printForReader(output) : printLines(output)
}

/** As a text that grows. Where agents speak at the same time, each change of the speaker is announced. */
function printForReader(output: Output): ReplyPrinter {
  let speaker: string | undefined
  let isAtLineStart = true
  async function print(event: EngineEvent) {
    if (event.type === 'agent.completed' && event.callId === speakerId(speaker)) speaker = undefined
    if (event.type !== 'agent.delta' || event.text === '') return
    const reply = replyId(event)
    const begin = reply === speaker ? '' : `${isAtLineStart ? '' : '\n'}── ${nameOf(event)} ──${askedAgain(event)}\n`
    speaker = reply
    isAtLineStart = event.text.endsWith('\n')
    await write(output, begin + harmlessText(event.text))
  }
  return {
    emit: guarded(print),
    async end() {
      if (!isAtLineStart) await write(output, '\n')
    },
  }
}

/** As whole lines with the speaker before each, for a file or another program. */
function printLines(output: Output): ReplyPrinter {
  /** The lines that have begun, by their replies. */
  const begun = new Map<string, { readonly place: AgentPlace; text: string }>()
  async function print(event: EngineEvent) {
    if (event.type === 'agent.delta') {
      const line = begun.get(replyId(event)) ?? { place: event, text: '' }
      const lines = (line.text + event.text).split('\n')
      line.text = lines.pop() ?? ''
      begun.set(replyId(event), line)
      if (line.text.length > lineLengthMax) lines.push(line.text)
      if (line.text.length > lineLengthMax) line.text = ''
      await tell(event, lines)
    } else if (event.type === 'agent.completed') {
      for (const [reply, line] of begun) if (speakerId(reply) === event.callId) await flush(reply, line)
    }
  }
  async function flush(reply: string, { place, text }: { readonly place: AgentPlace; readonly text: string }) {
    begun.delete(reply)
    if (text !== '') await tell(place, [text])
  }
  async function tell(place: AgentPlace, lines: readonly string[]) {
    if (lines.length > 0) await write(output, lines.map((line) => `${nameOf(place)}: ${harmlessText(line)}\n`).join(''))
  }
  return {
    emit: guarded(print),
    async end() {
      for (const [reply, line] of begun) await flush(reply, line)
    },
  }
}

/** An output that fails is seen to by whoever owns it: the call goes on. */
function guarded(print: (event: EngineEvent) => Promise<void>): Emit {
  return (event) => print(event).catch(() => undefined)
}

type Delta = Extract<EngineEvent, { readonly type: 'agent.delta' }>

function replyId({ callId, step, attempt }: Delta): string {
  return `${callId} ${step} ${attempt}`
}

function speakerId(reply: string | undefined): string | undefined {
  return reply?.split(' ')[0]
}

function nameOf({ path, agent }: AgentPlace): string {
  return [...path.slice(1), agent].join('/')
}

function askedAgain({ attempt }: Delta): string {
  return attempt > 0 ? ' asked again: the reply before was not used' : ''
}
