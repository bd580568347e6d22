import fc from 'fast-check'
import { z } from 'zod'
import type { Agent } from '../../../src/domain/agent.ts'
import type { ProviderErrorKind } from '../../../src/domain/invoker.ts'
import type { Json } from '../../../src/domain/json.ts'
import { definePrompt } from '../../../src/domain/prompt.ts'
import type { StopReason } from '../../../src/domain/session.ts'
import { type Scope, Tactic } from '../../../src/domain/tactic.ts'
import { defineTool } from '../../../src/domain/tool.ts'

/** What the model does with one request, after it has told these pieces. */
export interface Reply {
  readonly pieces: readonly string[]
  readonly ends:
    | { readonly as: 'said'; readonly hasUsage: boolean }
    /** The prompt's parser refuses it. */
    | { readonly as: 'unfit' }
    /** It calls this many tools; some of them fail. */
    | { readonly as: 'calls'; readonly tools: number }
    | { readonly as: 'broken'; readonly kind: ProviderErrorKind; readonly mayBeBilled: boolean }
    /** Meanwhile somebody stops the call. */
    | { readonly as: 'stopped'; readonly reason: StopReason }
}

/** What a tactic does. Steps that catch go on after a failure. */
export type Step =
  | {
      readonly do: 'ask'
      readonly agent: 'writer' | 'editor'
      readonly replies: readonly Reply[]
      readonly catches: boolean
    }
  | { readonly do: 'call'; readonly steps: readonly Step[]; readonly catches: boolean }
  | { readonly do: 'together'; readonly steps: readonly Step[]; readonly catches: boolean }
  | { readonly do: 'tell'; readonly data: Json }
  | { readonly do: 'throw' }

const reply: fc.Arbitrary<Reply> = fc.record({
  pieces: fc.array(fc.string({ minLength: 1, maxLength: 8 }), { maxLength: 4 }),
  ends: fc.oneof(
    { weight: 4, arbitrary: fc.record({ as: fc.constant('said' as const), hasUsage: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ as: fc.constant('unfit' as const) }) },
    { weight: 2, arbitrary: fc.record({ as: fc.constant('calls' as const), tools: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        as: fc.constant('broken' as const),
        kind: fc.constantFrom<ProviderErrorKind>('unreachable', 'rate-limited', 'failed', 'rejected', 'garbled'),
        mayBeBilled: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        as: fc.constant('stopped' as const),
        reason: fc.constantFrom<StopReason>('deadline', 'shutdown', 'cancelled'),
      }),
    },
  ),
})

/** Scripts of tactics that nest, ask in parallel, fail, and are stopped. */
export const wildSteps: fc.Arbitrary<readonly Step[]> = fc.letrec<{ steps: readonly Step[]; step: Step; ask: Step }>(
  (tie) => ({
    steps: fc.array(tie('step'), { maxLength: 4 }),
    ask: fc.record({
      do: fc.constant('ask' as const),
      agent: fc.constantFrom('writer' as const, 'editor' as const),
      replies: fc.array(reply, { minLength: 1, maxLength: 3 }),
      catches: fc.boolean(),
    }),
    step: fc.oneof(
      { maxDepth: 3 },
      { weight: 4, arbitrary: tie('ask') },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('tell' as const), data: fc.jsonValue() as fc.Arbitrary<Json> }),
      },
      { weight: 1, arbitrary: fc.constant<Step>({ do: 'throw' }) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('call' as const), steps: tie('steps'), catches: fc.boolean() }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('together' as const), steps: tie('steps'), catches: fc.boolean() }),
      },
    ),
  }),
).steps

let asks = 0

async function play({ agents, tactics, emit }: Pick<Scope, 'agents' | 'tactics' | 'emit'>, steps: readonly Step[]) {
  const playOne = async (step: Step): Promise<unknown> => {
    if (step.do === 'throw') throw new Error('thrown on purpose')
    if (step.do === 'tell') return emit(step.data)
    const work = begin(step)
    return step.catches ? work.catch(() => {}) : work
  }
  const begin = async (step: Extract<Step, { readonly catches: boolean }>): Promise<unknown> => {
    if (step.do === 'ask') return ask(agents[step.agent], step.replies)
    if (step.do === 'together') return Promise.all(step.steps.map(playOne))
    // The lowest tactic has nothing below it: it does by itself what it is told to have done.
    const { below } = tactics
    return below === undefined ? play({ agents, tactics, emit }, step.steps) : below(step.steps as never)
  }
  for (const step of steps) await playOne(step)
  return 'done'
}

/** An agent has one turn at a time in a dialog, and any number in several: each question has its own. */
async function ask(agent: Agent | undefined, replies: readonly Reply[]): Promise<string> {
  const number = ++asks
  const alias = `ask ${number}`
  const asked = agent?.open(alias).receive(JSON.stringify({ number, replies })).respond()
  return (await asked)?.content ?? ''
}

const input = z.unknown()
const agents = ['writer', 'editor'] as const

export class Bottom extends Tactic({ name: 'bottom', agents, input }) {
  async call(steps: unknown) {
    return play(this as never, steps as readonly Step[])
  }
}
export class Middle extends Tactic({ name: 'middle', agents, input, tactics: { below: Bottom } }) {
  async call(steps: unknown) {
    return play(this as never, steps as readonly Step[])
  }
}
export class Top extends Tactic({ name: 'top', agents, input, tactics: { below: Middle } }) {
  async call(steps: unknown) {
    return play(this as never, steps as readonly Step[])
  }
}

/** How a reply begins that the prompt's parser refuses. */
export const unfit = 'unfit: '

const look = defineTool({
  name: 'look',
  description: 'Looks.',
  args: z.object({ at: z.int() }),
  run: ({ at }) => {
    if (at % 2 === 1) throw new Error('nothing to be seen')
    return `seen ${at}`
  },
})

/** What the agents of the tactics are told. */
export const playedPrompt = definePrompt({
  template: 'You play.',
  tools: [look],
  parser: {
    parse(text) {
      if (text.startsWith(unfit)) throw new Error('It is unfit.')
      return text
    },
  },
})
