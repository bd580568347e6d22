import type { EngineEvent } from '../domain/event.ts'
import type { StoredRunEvent } from '../domain/run.ts'
import type { RunHistory } from '../domain/run-store.ts'
import { countIdentities, identityOf } from './event-identity.ts'

/** Characters of events that may wait to be stored before whoever tells more has to wait. */
const waitingCharactersMax = 262_144
/** Pieces of a reply are put together up to this length, so that a long one is not a row for each word. */
const deltaLengthMax = 8_192

/**
 * The events of one attempt on their way into the store. What an earlier attempt has told is not told again, and pieces of a reply that
 * wait together become one.
 */
export class RunEventLog {
  readonly #told: Map<string, number>
  #waiting: StoredRunEvent[] = []
  #waitingCharacters = 0
  #lastSeq: number

  constructor({ events, lastSeq }: Pick<RunHistory, 'events' | 'lastSeq'>) {
    this.#told = countIdentities(events.map(({ event }) => event))
    this.#lastSeq = lastSeq
  }

  /** Whether anything waits to be stored. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }
  /** Whether whoever tells more should wait until {@link take} has been stored. */
  get isFull(): boolean {
    return this.#waitingCharacters > waitingCharactersMax
  }

  add(event: EngineEvent): void {
    const identity = identityOf(event)
    if (identity !== null) {
      const toldBefore = this.#told.get(identity) ?? 0
      if (toldBefore > 0) {
        this.#told.set(identity, toldBefore - 1)
        return
      }
    }
    if (event.type === 'agent.delta' && this.#mergeIntoLast(event)) return
    this.#waiting.push({ seq: ++this.#lastSeq, event })
    this.#waitingCharacters += lengthOf(event)
  }

  /** Takes what waits, to be stored. */
  take(): readonly StoredRunEvent[] {
    const taken = this.#waiting
    this.#waiting = []
    this.#waitingCharacters = 0
    return taken
  }

  /** The number for one more event. */
  nextSeq(): number {
    return ++this.#lastSeq
  }

  #mergeIntoLast(event: EngineEvent & { readonly type: 'agent.delta' }): boolean {
    const last = this.#waiting.at(-1)
    if (last?.event.type !== 'agent.delta') return false
    const { callId, step, attempt, text } = last.event
    if (callId !== event.callId || step !== event.step || attempt !== event.attempt) return false
    if (text.length + event.text.length > deltaLengthMax) return false
    this.#waiting[this.#waiting.length - 1] = { seq: last.seq, event: { ...event, text: text + event.text } }
    this.#waitingCharacters += event.text.length
    return true
  }
}

/** Characters that an event takes in memory, roughly. */
function lengthOf(event: EngineEvent): number {
  switch (event.type) {
    case 'agent.delta':
      return event.text.length
    case 'tool.started':
      return eventLength + event.arguments.length
    case 'tool.completed':
      return eventLength + event.result.length
    case 'progress':
      return progressLength
    default:
      return eventLength
  }
}

const eventLength = 512
/** As much as an author may tell at once. */
const progressLength = 16_384
