import { type InputOf, Tactic } from 'lllm'

/** The smallest tactic: one agent, one question. */
export default class SummarizerTactic extends Tactic({
  name: 'summarizer',
  description: 'Summarizes a text in three bullet points.',
  agents: ['writer'],
  examples: [
    'Large language models predict the next token of a text. They are trained on large bodies of text, then tuned on ' +
      'examples of good answers. They write fluently and may still be wrong.',
  ],
}) {
  async call(task: InputOf<typeof SummarizerTactic>) {
    const { writer } = this.agents

    writer.open('session')
    writer.receive(`Summarize this text in 3 bullet points:\n\n${task}`)
    return (await writer.respond()).content
  }
}
