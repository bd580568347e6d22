import { type InputOf, Tactic } from 'lllm'

/** One agent with two dialogs, and a second agent that hears of both. */
export default class Brainstorm extends Tactic({
  name: 'brainstorm',
  description: 'Takes an idea in two directions and picks one of them.',
  agents: ['thinker', 'judge'],
}) {
  async call(topic: InputOf<typeof Brainstorm>) {
    const { thinker, judge } = this.agents

    // #region dialogs
    thinker.open('cheap')
    thinker.receive(`Name one unusual idea about: ${topic}`)
    await thinker.respond()

    thinker.fork('cheap', 'bold') // copies the dialog so far; the copy is active
    thinker.receive('Make it bolder.')
    const bold = await thinker.respond()

    thinker.switch('cheap') // back to the original, which knows nothing of the copy
    thinker.receive('Make it cheaper.')
    const cheap = await thinker.respond()
    // #endregion

    // #region names
    judge.open('choice')
    judge.receive(bold.content, { name: 'bold' })
    judge.receive(cheap.content, { name: 'cheap' })
    judge.receive('Which of the two is better? Answer in one sentence.')
    return (await judge.respond()).content
    // #endregion
  }
}
