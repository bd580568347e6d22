import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Invoker, type ModelReply, ProviderError } from '../../../src/domain/invoker.ts'
import type { StopReason } from '../../../src/domain/session.ts'
import { testUsage } from '../../../src/testing/scripted-model.ts'
import { type Reply, unfit } from './played-script.ts'

/** A model that replies as the question says. `stop` is what it calls when the call is to be stopped. */
export function playedModel(stop: (reason: StopReason) => void): Invoker {
  const repliesGiven = new Map<number, number>()
  return {
    name: 'played',
    simulated: false,
    async invoke({ messages, model }, signal, onDelta): Promise<ModelReply> {
      const question = String(messages[1]?.content)
      const { number, replies } = JSON.parse(question) as {
        readonly number: number
        readonly replies: readonly Reply[]
      }
      const given = repliesGiven.get(number) ?? 0
      repliesGiven.set(number, given + 1)
      const { pieces, ends } = replies[given] ?? { pieces: ['the ', 'end'], ends: { as: 'said', hasUsage: true } }
      let content = ''
      for (const piece of ends.as === 'unfit' ? [unfit, ...pieces] : pieces) {
        await nextTurn()
        signal.throwIfAborted()
        content += piece
        await onDelta?.(piece)
      }
      const message = { role: 'assistant', content } as const
      if (ends.as === 'broken') {
        const partial = content === '' ? null : message
        throw new ProviderError(ends.kind, 'The model breaks off.', { partial, mayBeBilled: ends.mayBeBilled })
      }
      if (ends.as === 'stopped') stop(ends.reason)
      signal.throwIfAborted()
      const calls = Array.from({ length: ends.as === 'calls' ? ends.tools : 0 }, (_, index) => ({
        id: `${number}-${given}-${index}`,
        name: 'look',
        arguments: JSON.stringify({ at: given + index }),
      }))
      return {
        id: null,
        model,
        message: calls.length === 0 ? message : { ...message, toolCalls: calls },
        finishReason: calls.length === 0 ? 'stop' : 'tool_calls',
        usage: ends.as === 'said' && !ends.hasUsage ? null : testUsage,
      }
    },
    close: async () => {},
  }
}
