import { type InputOf, Tactic } from 'lllm'

export default class GlossaryReport extends Tactic({ name: 'glossary_report', agents: ['reporter'] }) {
  async call(task: InputOf<typeof GlossaryReport>) {
    const glossary = await this.asset('assets:glossary.txt').text()
    const { reporter } = this.agents
    reporter.open('report').receive(`Report on: ${task}\n\nOur words:\n${glossary}`)
    return (await reporter.respond()).content
  }
}
