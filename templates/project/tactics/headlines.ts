import { type InputOf, Tactic } from 'lllm'
import { z } from 'zod'

const Reply = z.object({ headlines: z.array(z.string().max(80)).length(3) })

export default class Headlines extends Tactic({
  name: 'headlines',
  description: 'Suggests three headlines for a text.',
  agents: ['editor'],
  input: z.object({ text: z.string().min(1), tone: z.enum(['plain', 'witty']).default('plain') }),
  output: Reply,
}) {
  async call({ text, tone }: InputOf<typeof Headlines>) {
    const { editor } = this.agents
    editor.open('headlines')
    editor.receive(`Suggest three ${tone} headlines for this text:\n\n${text}`)
    return editor.respondAs(Reply)
  }
}
