import { type InputOf, Tactic } from 'lllm'

export default class Panel extends Tactic({
  name: 'panel',
  description: 'Looks at a plan from three sides at once.',
  agents: ['panelist'],
}) {
  async call(plan: InputOf<typeof Panel>) {
    const { panelist } = this.agents
    // #region parallel
    const underWay = ['price', 'risk', 'time'].map((side) => {
      return panelist.open(side).receive(`Judge the ${side} of this plan:\n\n${plan}`).respond()
    })
    const replies = await Promise.all(underWay)
    // #endregion
    return replies.map(({ content }) => content).join('\n')
  }
}
