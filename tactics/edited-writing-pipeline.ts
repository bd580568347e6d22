import type { InputOf } from 'lllm'
import WritingPipeline from './writing-pipeline.ts'

/** The writing pipeline with one stage more: everything up to the draft is its parent's. */
export default class EditedWritingPipeline extends WritingPipeline.extend({
  name: 'edited_writing_pipeline',
  description: 'Writes a short article from an outline, then polishes it.',
  agents: ['editor'],
}) {
  override async call(task: InputOf<typeof EditedWritingPipeline>) {
    const draft = await super.call(task)
    const { editor } = this.agents

    editor.open('edit')
    editor.receive(`Polish this draft for clarity and concision:\n\n${draft}`)
    return (await editor.respond()).content
  }
}
