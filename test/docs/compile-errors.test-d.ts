// Checked by `tsc`, never run: the mistakes of docs/authoring.md that do not compile.
import { definePrompt, type InputOf, Tactic } from 'lllm'
import { z } from 'zod'
import Summarize from '../../examples/authoring/tactics/summarize.ts'

const note = definePrompt({ template: 'Note on {topic}.' })

// #region mistakes
class Mistakes extends Tactic({
  name: 'mistakes',
  agents: ['writer'],
  tactics: { summarize: Summarize },
  input: z.object({ topic: z.string() }),
}) {
  async call(task: InputOf<typeof Mistakes>) {
    // @ts-expect-error no such agent; TypeScript asks: Did you mean 'writer'?
    this.agents.writr.open('note')
    // @ts-expect-error the prompt has a slot {topic}, and no slot {title}
    this.agents.writer.receivePrompt(note, { title: task.topic })
    // @ts-expect-error the task of `summarize` is a string
    await this.tactics.summarize(task)
    // @ts-expect-error the input has a `topic`, and no `subject`
    return task.subject
  }
}
// #endregion

void Mistakes
