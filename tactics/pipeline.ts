import { type InputOf, Tactic } from 'lllm'
import ResearchTactic from './researcher.ts'

/** A tactic that calls another one. The researcher's session becomes a child of this one's, and its cost a part of it. */
export default class PipelineTactic extends Tactic({
  name: 'pipeline',
  description: 'Researches a topic, then makes an action plan from what was found.',
  agents: ['coordinator'],
  tactics: { researcher: ResearchTactic },
  examples: ['adopting quantum-safe encryption in a small company'],
}) {
  async call(task: InputOf<typeof PipelineTactic>) {
    const { coordinator } = this.agents
    const facts = await this.tactics.researcher(task)

    coordinator.open('plan')
    coordinator.receive(`Based on this research:\n${facts}\n\nCreate an action plan.`)
    return (await coordinator.respond()).content
  }
}
