import { type InputOf, Tactic } from 'lllm'
import Facts from './facts.ts'

export default class Report extends Tactic({
  name: 'report',
  description: 'Writes a report on a subject.',
  agents: ['writer', 'checker'],
  tactics: { facts: Facts },
}) {
  async call(subject: InputOf<typeof Report>) {
    const { writer, checker } = this.agents
    const facts = await this.tactics.facts(subject)

    writer.open('report', { subject }).receive(facts)
    const draft = (await writer.respond()).content

    checker.open('check').receive(draft)
    return (await checker.respond()).content
  }
}
