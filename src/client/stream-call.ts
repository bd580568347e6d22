import { EventDecoder } from '../domain/server-sent-events.ts'
import { asCallAnswer } from './answer-shape.ts'
import type { CallAnswer } from './answers.ts'
import { isStreamEventType, type StreamEvent } from './events.ts'
import { LllmFault } from './fault.ts'
import { openLiveAnswer, type Taken } from './live-answer.ts'
import { isProblemRecord, LllmProblem } from './problem.ts'
import type { Reply } from './reply.ts'
import { readJson } from './transport.ts'

/** A call that is followed while it goes on. It begins when it is looped over, or when its result is asked for. */
export interface CallStream<Output> extends AsyncIterable<StreamEvent> {
  /**
   * The answer to the call, after the last event. Asked for without a loop, it follows the call by itself; within the loop it
   * has not come yet. Rejects with what the loop throws: an LllmProblem when the call failed, an LllmFault when the stream
   * broke off or was left, the reason of the signal.
   */
  readonly result: Promise<CallAnswer<Output>>
}

export function streamCall<Output>(open: () => Promise<Reply>, lengthMax: number): CallStream<Output> {
  const decoder = new EventDecoder(lengthMax)
  const live = openLiveAnswer<StreamEvent, CallAnswer<Output>>({
    open,
    take(bytes) {
      const parts: StreamEvent[] = []
      for (const { name, data } of decoder.decode(bytes)) {
        const value = readJson(data, 200)
        const end = endOf<Output>(name, value)
        if (end !== undefined) return { parts, end }
        // A newer service may tell more than this version knows of.
        if (isStreamEventType(name)) parts.push({ ...(value as object), type: name } as StreamEvent)
      }
      return { parts }
    },
  })
  return {
    [Symbol.asyncIterator]: () => live[Symbol.asyncIterator](),
    get result() {
      return live.end
    },
  }
}

function endOf<Output>(name: string, value: unknown): Taken<StreamEvent, CallAnswer<Output>>['end'] {
  if (name === 'result') return { value: asCallAnswer(value) }
  if (name !== 'error') return undefined
  const unfit = () => new LllmFault('protocol', 'The call failed, in words that are no problem.', { status: 200 })
  return { failure: isProblemRecord(value) ? new LllmProblem(value) : unfit() }
}
