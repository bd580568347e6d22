import { type InputOf, Tactic } from 'lllm'

/** The tools are a part of the system prompt: this tactic does not know them. */
export default class OrderHelp extends Tactic({
  name: 'order_help',
  description: 'Answers a question about an order.',
  agents: ['support'],
  examples: ['Where is my order A-17?'],
}) {
  async call(question: InputOf<typeof OrderHelp>) {
    const { support } = this.agents
    support.open('help').receive(question)
    return (await support.respond()).content
  }
}
