import type { Agent } from '../../src/domain/agent.ts'
import { type InputOf, Tactic } from '../../src/index.ts'

/** The smallest tactic: it passes its task on to one agent. */
export class Ask extends Tactic({ name: 'ask', agents: ['writer'] }) {
  async call(task: InputOf<typeof Ask>) {
    return (await this.agents.writer.open('talk').receive(task).respond()).content
  }
}

/** A tactic that does with its agent whatever a test wants. What is returned is its result, as JSON. */
export function doing(work: (writer: Agent, task: string, signal: AbortSignal) => unknown) {
  return class Doing extends Tactic({ name: 'doing', agents: ['writer'] }) {
    async call(task: string) {
      return JSON.stringify(await work(this.agents.writer, task, this.signal)) ?? 'nothing'
    }
  }
}
