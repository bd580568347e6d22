import { type InputOf, Tactic } from 'lllm'

/** Two agents: outline, then article. */
export default class WritingPipeline extends Tactic({
  name: 'writing_pipeline',
  description: 'Outlines a topic in five points and expands the outline into a short article.',
  agents: ['outliner', 'writer'],
  examples: ['the rise of agentic AI'],
}) {
  async call(task: InputOf<typeof WritingPipeline>) {
    const { outliner, writer } = this.agents

    outliner.open('outline')
    outliner.receive(`Create a concise 5-point outline about: ${task}`)
    const outline = (await outliner.respond()).content

    writer.open('write')
    writer.receive(`Expand this outline into a short article:\n\n${outline}`)
    return (await writer.respond()).content
  }
}
