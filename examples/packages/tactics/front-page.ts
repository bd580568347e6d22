import { type InputOf, Tactic } from 'lllm'
import GlossaryReport from '../toolkit/tactics/glossary-report.ts'

export default class FrontPage extends Tactic({
  name: 'front_page',
  agents: ['editor'],
  tactics: { report: GlossaryReport },
}) {
  async call(task: InputOf<typeof FrontPage>) {
    const report = await this.tactics.report(task)
    const { editor } = this.agents
    // A bare path is the newsroom's own; `tk:style` is the toolkit's.
    editor.open('page').receivePrompt('tk:style', { text: report })
    return (await editor.respond()).content
  }
}
