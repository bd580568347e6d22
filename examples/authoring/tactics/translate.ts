import { readFile } from 'node:fs/promises'
import { type InputOf, Tactic } from 'lllm'
import { z } from 'zod'
import { translation } from '../prompts/translation.ts'

/** Uses all three ways to give an agent text: its system prompt, a prompt from a module, and a prompt by its path. */
export default class Translate extends Tactic({
  name: 'translate',
  description: 'Translates a text with a glossary, then revises the translation.',
  agents: ['translator'],
  input: z.object({ text: z.string().min(1), language: z.string().min(1).max(40) }),
  output: z.object({ translation: z.string(), doubts: z.array(z.string()) }),
}) {
  async call({ text, language }: InputOf<typeof Translate>) {
    const { translator } = this.agents
    // #region signal
    const file = new URL('../glossary.txt', import.meta.url)
    const glossary = await readFile(file, { encoding: 'utf8', signal: this.signal })
    // #endregion

    // #region prompts
    translator.open('translation', { language }) // fills {language} in the system prompt
    const draft = await translator.receivePrompt(translation, { text, glossary }).respond()
    const doubts = draft.parsed.tags.doubt.map(({ content }) => content)

    translator.receivePrompt('revision', { doubts: doubts.join('; ') || 'none' })
    return { translation: (await translator.respond()).content, doubts }
    // #endregion
  }
}
