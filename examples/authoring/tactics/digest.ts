import { type InputOf, isLllmError, Tactic } from 'lllm'
import { z } from 'zod'
import Summarize from './summarize.ts'

export default class Digest extends Tactic({
  name: 'digest',
  description: 'Summarizes articles side by side and puts a title above them.',
  agents: ['editor'],
  tactics: { summarize: Summarize },
  input: z.object({ articles: z.array(z.string().min(1)).min(1).max(50) }),
  progress: z.object({ summarized: z.number(), failed: z.number() }),
}) {
  async call({ articles }: InputOf<typeof Digest>) {
    const lines = await this.#summarizeAll(articles)
    await this.#tellProgress(lines)
    const title = await this.#title(lines.join('\n'))
    return [title, ...lines].join('\n')
  }

  async #summarizeAll(articles: readonly string[]) {
    // #region batch
    const settled = await this.tactics.summarize.batch(articles, { maxWorkers: 8 })
    return settled.map((item) => (item.status === 'success' ? item.result : '(no summary)'))
    // #endregion
  }

  #tellProgress(lines: readonly string[]) {
    const failed = lines.filter((line) => line === '(no summary)').length
    // #region emit
    return this.emit({ summarized: lines.length - failed, failed })
    // #endregion
  }

  async #title(summaries: string) {
    // #region catch
    try {
      return await this.tactics.summarize(summaries)
    } catch (error) {
      if (!isLllmError(error) || error.code !== 'reply-unusable') throw error
    }
    const { editor } = this.agents
    editor.open('title').receive(`Write a title for:\n\n${summaries}`)
    return (await editor.respond()).content
    // #endregion
  }
}
