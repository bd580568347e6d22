import { asBatchItem, asBatchSums, expectMembers } from './answer-shape.ts'
import type { BatchItem, BatchSums } from './answers.ts'
import { LineDecoder } from './line-decoder.ts'
import { openLiveAnswer, type Taken } from './live-answer.ts'
import { isProblemRecord, LllmProblem } from './problem.ts'
import type { Reply } from './reply.ts'
import { readJson } from './transport.ts'

/** A batch whose items come as they are completed. It begins when it is looped over, or when its sums are asked for. */
export interface BatchStream<Output> extends AsyncIterable<BatchItem<Output>> {
  /** The sums of the items, after the last one. It behaves as the `result` of a stream. */
  readonly sums: Promise<BatchSums>
}

export function streamBatch<Output>(open: () => Promise<Reply>, lengthMax: number): BatchStream<Output> {
  const decoder = new LineDecoder(lengthMax)
  const live = openLiveAnswer<BatchItem<Output>, BatchSums>({
    open,
    take(bytes) {
      const parts: BatchItem<Output>[] = []
      for (const line of decoder.decode(bytes)) {
        if (line === '') continue
        const value = readJson(line, 200)
        if (Object.hasOwn(Object(value), 'end')) return { parts, end: endOf(value) }
        parts.push(asBatchItem(value))
      }
      return { parts }
    },
  })
  return {
    [Symbol.asyncIterator]: () => live[Symbol.asyncIterator](),
    get sums() {
      return live.end
    },
  }
}

function endOf(value: unknown): NonNullable<Taken<unknown, BatchSums>['end']> {
  const { error } = expectMembers(value, 'end')
  return isProblemRecord(error) ? { failure: new LllmProblem(error) } : { value: asBatchSums(value) }
}
