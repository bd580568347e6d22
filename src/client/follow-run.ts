import { EventDecoder, type ServerSentEvent } from '../domain/server-sent-events.ts'
import { asCallAnswer, expectMembers } from './answer-shape.ts'
import { isStreamEventType } from './events.ts'
import { LllmFault } from './fault.ts'
import { readable } from './live-answer.ts'
import { openPatience } from './patience.ts'
import { isProblemRecord, LllmProblem } from './problem.ts'
import type { Reply } from './reply.ts'
import type { RunEvent } from './run-answers.ts'
import { readJson, type Transport } from './transport.ts'

/** A service that has been silent for so long, four heartbeats, is asked anew. */
const silenceMaxMs = 60_000

export interface FollowOptions {
  /** The `id` of the last event that was read: only later ones come. Default: from the start. */
  readonly after?: number
  readonly signal?: AbortSignal
}

/** The events of the run at a path. It goes on where it was after an interruption, and ends when the run has ended. */
export function followRun<Output>(
  transport: Transport,
  path: string,
  options: FollowOptions,
): AsyncGenerator<RunEvent<Output>, void, undefined> {
  return follow(transport, path, options)
}

async function* follow<Output>(
  transport: Transport,
  path: string,
  { after = 0, signal }: FollowOptions,
): AsyncGenerator<RunEvent<Output>, void, undefined> {
  const patience = openPatience(signal)
  let lastId = after
  for (;;) {
    let interruption: unknown = new LllmFault('network', 'The events of the run broke off.', { status: 200 })
    try {
      const reply = await ask(transport, path, lastId, signal)
      // Who has read the last event is told that there is nothing more.
      if (reply.status === 204) return reply.close()
      for await (const event of eventsOf(reply, transport.answerBytesMax, patience.rewarded)) {
        if (event.name === 'error' && event.id === undefined) throw refusalOf(event)
        lastId = idOf(event)
        if (event.name === 'end') return
        const told = toRunEvent<Output>(event, lastId)
        if (told !== undefined) yield told
      }
    } catch (error) {
      interruption = error
    }
    await patience.endure(interruption)
  }
}

function ask(transport: Transport, path: string, lastId: number, signal: AbortSignal | undefined): Promise<Reply> {
  return transport.send({
    method: 'GET',
    path: `${path}/events`,
    query: new URLSearchParams({ after: String(lastId) }),
    accept: 'text/event-stream',
    // A run may take days: only silence is too long.
    timeoutMs: Number.POSITIVE_INFINITY,
    ...(signal === undefined ? {} : { signal }),
  })
}

/** The events of one answer. `onBytes` hears of every sign of life, heartbeats too. */
async function* eventsOf(
  reply: Reply,
  lengthMax: number,
  onBytes: () => void,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new EventDecoder(lengthMax)
  const pieces = reply.pieces()
  try {
    for (;;) {
      const timer = setTimeout(() => reply.close(), silenceMaxMs)
      const next = await pieces.next().finally(() => clearTimeout(timer))
      if (next.done === true) return
      onBytes()
      yield* readable(() => decoder.decode(next.value), reply.status)
    }
  } finally {
    reply.close()
  }
}

function idOf({ id }: ServerSentEvent): number {
  if (id !== undefined && /^\d{1,15}$/.test(id)) return Number(id)
  throw new LllmFault('protocol', 'The service tells an event of a run without its number.', { status: 200 })
}

/** Undefined: a newer service tells more than this version knows of. */
function toRunEvent<Output>({ name, data }: ServerSentEvent, id: number): RunEvent<Output> | undefined {
  const value = readJson(data, 200)
  if (name === 'result') return { ...asCallAnswer(value), type: name, id } as RunEvent<Output>
  if (name === 'error') return { type: name, id, problem: asProblem(value) }
  if (!isStreamEventType(name) && name !== 'run.resumed') return undefined
  return { ...expectMembers(value, 'session_id'), type: name, id } as RunEvent<Output>
}

/** Without a number it is no event of the run: the reader is told no more of it. */
function refusalOf({ data }: ServerSentEvent): LllmProblem {
  return new LllmProblem(asProblem(readJson(data, 200)))
}

function asProblem(value: unknown) {
  if (isProblemRecord(value)) return value
  throw new LllmFault('protocol', 'The run failed, in words that are no problem.', { status: 200 })
}
