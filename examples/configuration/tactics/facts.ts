import { type InputOf, Tactic } from 'lllm'

export default class Facts extends Tactic({
  name: 'facts',
  description: 'Lists facts about a subject.',
  agents: ['finder'],
}) {
  async call(subject: InputOf<typeof Facts>) {
    const { finder } = this.agents
    finder.open('facts').receive(`List facts about: ${subject}`)
    return (await finder.respond()).content
  }
}
