import { config } from './package.ts'

/** A pipeline: a sub-tactic that looks facts up with a tool, then a writer. */
export const tracedPackage: Readonly<Record<string, string>> = {
  'tactics/facts.ts': `import { Tactic, definePrompt, defineTool } from 'lllm'
import { z } from 'zod'
const lookup = defineTool({
  name: 'lookup',
  description: 'Looks a word up.',
  args: z.object({ word: z.string() }),
  run({ word }) {
    if (word === 'wasp') throw new Error('no page on wasps')
    return 'the page on ' + word
  },
})
const asking = definePrompt({ template: 'Facts on {task}', tools: [lookup] })
export default class Facts extends Tactic({ name: 'facts', agents: ['finder'] }) {
  async call(task) {
    return (await this.agents.finder.open('find').receivePrompt(asking, { task }).respond()).content
  }
}
`,
  'tactics/report.ts': `import { Tactic } from 'lllm'
import Facts from './facts.ts'
export default class Report extends Tactic({ name: 'report', agents: ['writer'], tactics: { facts: Facts } }) {
  async call(task) {
    const facts = await this.tactics.facts(task)
    return (await this.agents.writer.open('write').receive('Write: ' + facts).respond()).content
  }
}
`,
  'configs/facts.yaml': config('facts', { finder: 'You find facts.' }),
  'configs/report.yaml': config(
    'report',
    { writer: 'You write.' },
    'model_name: gpt-4o, model_args: { temperature: 0.2, max_completion_tokens: 500, user: someone }',
  ),
}
