import { type InputOf, Tactic } from 'lllm'

export default class Summarize extends Tactic({
  name: 'summarize',
  description: 'Summarizes a text in one sentence.',
  agents: ['writer'],
}) {
  async call(text: InputOf<typeof Summarize>) {
    const { writer } = this.agents
    writer.open('summary').receive(`Summarize in one sentence:\n\n${text}`)
    return (await writer.respond()).content
  }
}
