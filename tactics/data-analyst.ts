import { type InputOf, Tactic } from 'lllm'
import { z } from 'zod'

/** One agent with tools: the model decides what to compute, and code computes it. The tools come with its system prompt. */
export default class DataAnalystTactic extends Tactic({
  name: 'data_analyst',
  description: 'Answers a question about series of numbers. Every figure in the answer is computed, none is guessed.',
  agents: ['analyst'],
  input: z.object({
    question: z.string().min(1).max(2000),
    series: z.record(z.string().min(1).max(100), z.array(z.number()).min(1).max(1000)),
  }),
  examples: [
    {
      question: 'Do higher advertising costs go with higher sales, and how strongly?',
      series: { advertising: [10, 12, 15, 11, 20], sales: [110, 118, 140, 115, 170] },
    },
  ],
}) {
  async call({ question, series }: InputOf<typeof DataAnalystTactic>) {
    const { analyst } = this.agents
    const listing = Object.entries(series).map(([name, values]) => `${name}: ${values.join(', ')}`)

    analyst.open('analysis')
    analyst.receive(`${question}\n\nData:\n${listing.join('\n')}`)
    return (await analyst.respond()).content
  }
}
