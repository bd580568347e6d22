/**
 * A tactic with everything in it that can be mixed up when it is executed again: branches in parallel, sub-tactics in branches, a tool, the
 * same request several times, a race, and a reply that has to be repaired.
 */
export const survivingPackage: Readonly<Record<string, string>> = {
  'tactics/leaf.ts': `import { Tactic } from 'lllm'
export default class Leaf extends Tactic({ name: 'leaf', agents: ['thinker'] }) {
  async call(task) {
    const { thinker } = this.agents
    const first = (await thinker.open('one').receive('think ' + task).respond()).content
    return (await thinker.open('two').receive('again ' + first).respond()).content
  }
}
`,
  'tactics/tree.ts': `import { Tactic, definePrompt, defineTool } from 'lllm'
import { z } from 'zod'
import Leaf from './leaf.ts'
const lookup = defineTool({
  name: 'lookup',
  description: 'Looks something up.',
  args: z.object({ word: z.string() }),
  run: ({ word }) => 'meaning of ' + word,
})
const asking = definePrompt({ template: 'look up {task}', tools: [lookup] })
export default class Tree extends Tactic({
  name: 'tree', agents: ['planner', 'scout', 'voter', 'racer', 'writer'], tactics: { leaf: Leaf },
}) {
  async call(task) {
    const { planner, scout, voter, racer, writer } = this.agents
    const plan = (await planner.open('plan').receive('plan ' + task).respond()).content
    const branches = ['left', 'right', 'middle'].map((side) => this.tactics.leaf(plan + ' ' + side))
    const found = scout.open('find').receivePrompt(asking, { task }).respond()
    const votes = [1, 2, 3].map((vote) => voter.open('vote' + vote).receive('vote on ' + plan).respond())
    const race = Promise.any([
      racer.open('hare').receive('run fast ' + task).respond(),
      racer.open('tortoise').receive('run slow ' + task).respond(),
    ])
    const parts = await Promise.all(branches)
    const { content: fact } = await found
    const voted = (await Promise.all(votes)).map(({ content }) => content).join(',')
    await race
    const whole = [parts.join(' '), fact, voted].join(' | ')
    const checked = await writer.open('write').receive('write ' + whole).respondAs(z.object({ text: z.string() }))
    return checked.text
  }
}
`,
  'configs/leaf.yaml': `tactic_type: leaf
global: { model_name: gpt-4o, system_prompt: You think. }
agent_configs: [{ name: thinker }]
`,
  'configs/tree.yaml': `tactic_type: tree
global: { model_name: gpt-4o, system_prompt: You help. }
agent_configs: [{ name: planner }, { name: scout }, { name: voter }, { name: racer }, { name: writer }]
`,
}
