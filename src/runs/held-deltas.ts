import type { EngineEvent } from '../domain/event.ts'

type Delta = EngineEvent & { readonly type: 'agent.delta' }

/**
 * Holds back the ends of pieces of replies that may be the beginnings of secrets, until it is known what they are. Of each reply
 * everything is told, in its order, before anything else of its agent.
 */
export class HeldDeltas {
  readonly #toldLength: (text: string) => number
  /** By the id of the agent's call. */
  readonly #held = new Map<string, Delta>()

  /** @param toldLength How much of a text that goes on may be told. */
  constructor(toldLength: (text: string) => number) {
    this.#toldLength = toldLength
  }

  /** Takes an event, and gives what is to be told by now. */
  take(event: EngineEvent): readonly EngineEvent[] {
    if (!('callId' in event)) return [event]
    const held = this.#held.get(event.callId)
    if (event.type !== 'agent.delta') return held === undefined ? [event] : [this.#release(held), event]
    if (held !== undefined && isSameReply(held, event)) return this.#split({ ...event, text: held.text + event.text })
    return held === undefined ? this.#split(event) : [this.#release(held), ...this.#split(event)]
  }

  /** Gives what is left: nothing more comes. */
  rest(): readonly EngineEvent[] {
    return [...this.#held.values()].map((held) => this.#release(held))
  }

  #release(held: Delta): Delta {
    this.#held.delete(held.callId)
    return held
  }

  #split(delta: Delta): readonly Delta[] {
    const { callId, text } = delta
    const length = this.#toldLength(text)
    if (length === text.length) {
      this.#held.delete(callId)
      return [delta]
    }
    this.#held.set(callId, { ...delta, text: text.slice(length) })
    return length === 0 ? [] : [{ ...delta, text: text.slice(0, length) }]
  }
}

function isSameReply(left: Delta, right: Delta): boolean {
  return left.step === right.step && left.attempt === right.attempt
}
