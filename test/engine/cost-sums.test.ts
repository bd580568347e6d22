import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { addCosts, type Cost, noCost } from '../../src/domain/cost.ts'
import { costLines } from '../../src/domain/cost-report.ts'
import { countLlmCalls, type Session } from '../../src/domain/session.ts'
import { type InputOf, Tactic } from '../../src/index.ts'
import { callsTool, fails } from '../../src/testing/answers.ts'
import { type Answer, says } from '../../src/testing/scripted-model.ts'
import { house } from '../support/house.ts'

/** What a node of a tree of calls does: ask its agent some things, then call those below, then perhaps throw. */
interface Plan {
  readonly asks: number
  readonly below: readonly Plan[]
  readonly throws: boolean
}

const plan = fc.letrec<{ readonly plan: Plan }>((tie) => ({
  plan: fc.record({
    asks: fc.nat(2),
    below: fc.oneof({ maxDepth: 2 }, fc.constant([]), fc.array(tie('plan'), { maxLength: 3 })),
    throws: fc.boolean(),
  }),
})).plan

const planSchema: z.ZodType<Plan> = z.object({
  asks: z.number(),
  get below() {
    return z.array(planSchema)
  },
  throws: z.boolean(),
})

class Leaf extends Tactic({ name: 'level3', agents: ['writer'], input: planSchema }) {
  async call({ asks, throws }: InputOf<typeof Leaf>) {
    for (let count = 0; count < asks; count++) {
      await this.agents.writer
        .open(`${count}`)
        .receive('go')
        .respond()
        .catch(() => {})
    }
    if (throws) throw new Error('thrown on purpose')
    return ''
  }
}
class Middle extends Leaf.extend({ name: 'level2', tactics: { leaf: Leaf } }) {
  override async call(plan: InputOf<typeof Leaf>) {
    await this.tactics.leaf.batch(plan.below)
    return await super.call(plan)
  }
}
class Root extends Leaf.extend({ name: 'level1', tactics: { middle: Middle } }) {
  override async call(plan: InputOf<typeof Leaf>) {
    await Promise.allSettled(plan.below.map((below) => this.tactics.middle(below)))
    return await super.call(plan)
  }
}

const usage = fc.record({
  promptTokens: fc.nat(1e6),
  cachedPromptTokens: fc.nat(1e3),
  completionTokens: fc.nat(1e5),
  reasoningTokens: fc.nat(1e3),
})

const answer: fc.Arbitrary<Answer> = fc.oneof(
  usage.map((used) => says('fine', { usage: used })),
  usage.map((used) => says('', { usage: used })),
  usage.map((used) => callsTool('none', {}, { usage: used })),
  usage.map((used) => fails('garbled', { usage: used, mayBeBilled: true })),
  fc.constantFrom(
    says('fine', { usage: null }),
    fails('failed'),
    fails('unreachable', { mayBeBilled: true }),
    fails('rejected'),
  ),
)

function leavesOf(session: Session): readonly Cost[] {
  const own = session.agentCalls.flatMap(({ llmCalls }) => llmCalls.map(({ cost }) => cost))
  return [...own, ...session.subSessions.flatMap(leavesOf)]
}

test('a total is the sum of its leaves and of its lines, in every field, whatever failed, was retried or was stopped', async () => {
  await fc.assert(
    fc.asyncProperty(
      plan,
      fc.array(answer, { minLength: 1, maxLength: 8 }),
      fc.nat(30),
      async (task, answers, stopAt) => {
        const controller = new AbortController()
        let asked = 0
        const { session } = house({
          tactics: [Root, Middle, Leaf],
          global: { max_exception_retry: 1, max_llm_recall: 1, max_interrupt_steps: 2 },
          model: (request, signal) => {
            if (++asked === stopAt) setImmediate(() => controller.abort())
            return (answers[asked % answers.length] as Answer)(request, signal)
          },
        })
        const { session: recorded } = await session(task, { signal: controller.signal })
        const lines = costLines(recorded)
        expect(leavesOf(recorded)).toHaveLength(asked)
        expect(recorded.cost).toEqual(addCosts(leavesOf(recorded)))
        expect(recorded.cost).toEqual(lines.reduce((sum, { cost }) => addCosts([sum, cost]), noCost))
        expect(countLlmCalls(recorded)).toBe(lines.reduce((sum, { llmCalls }) => sum + llmCalls, 0))
      },
    ),
    { numRuns: 100 },
  )
})
