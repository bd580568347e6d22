import { type InputOf, Tactic } from 'lllm'

/** Two agents in sequence: what the first finds is what the second writes about. */
export default class ResearchTactic extends Tactic({
  name: 'researcher',
  description: 'Gathers key facts about a topic, then writes a short paragraph from them.',
  agents: ['finder', 'synthesizer'],
  examples: ['quantum computing'],
}) {
  async call(task: InputOf<typeof ResearchTactic>) {
    const { finder, synthesizer } = this.agents

    finder.open('gather')
    finder.receive(`List 5 key facts about: ${task}`)
    const facts = (await finder.respond()).content

    synthesizer.open('synthesize')
    synthesizer.receive(`Facts:\n${facts}\n\nWrite a short paragraph.`)
    return (await synthesizer.respond()).content
  }
}
