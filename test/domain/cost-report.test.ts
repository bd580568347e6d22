import { expect, test } from 'vitest'
import { costLines } from '../../src/domain/cost-report.ts'
import { Tactic } from '../../src/index.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

class Two extends Tactic({ name: 'two', agents: ['left', 'right'], tactics: { ask: Ask } }) {
  async call(task: string) {
    const { left, right } = this.agents
    await left.open('one').receive(task).respond()
    await right.open('one').receive(task).respond()
    await left.receive(task).respond()
    return await this.tactics.ask(task)
  }
}

test('a session has a line for each tactic, agent and model, in order of first use', async () => {
  const { session } = house({ tactics: [Two] })
  const lines = costLines((await session('go')).session)
  expect(
    lines.map(({ tactic, agent, model, llmCalls, cost }) => [tactic, agent, model, llmCalls, cost.promptTokens]),
  ).toEqual([
    ['two', 'left', 'test-model', 2, 200],
    ['two', 'right', 'test-model', 1, 100],
    ['ask', 'writer', 'test-model', 1, 100],
  ])
  expect(lines[2]?.tacticId).toBe('house::ask')
})
