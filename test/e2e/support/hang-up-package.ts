import type { ProviderRequest } from '../../support/provider-request.ts'
import { callsTool, hang, type ScriptLine, says, stallAfter, status } from '../../support/scripted-provider.ts'
import { config } from './package.ts'
import { usage } from './service.ts'

/** On this channel of `node:diagnostics_channel` the tools tell when they are entered, and when they heed their signal. */
export const toolChannel = 'test.tool'
export type ToolNews = 'entered' | 'heeded'

const worker = `import { channel } from 'node:diagnostics_channel'
import { definePrompt, defineTool } from 'lllm'
import { z } from 'zod'

const news = channel('${toolChannel}')
const args = z.object({})

const heedful = defineTool({
  name: 'heedful',
  description: 'Works for ever, or until it is told to stop.',
  args,
  run: (_args, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        news.publish('heeded')
        reject(signal.reason)
      }, { once: true })
      news.publish('entered')
    }),
})
const deaf = defineTool({
  name: 'deaf',
  description: 'Works for ever.',
  args,
  run: () => {
    news.publish('entered')
    return new Promise(() => {})
  },
})
export default definePrompt({ template: 'You work.', tools: [heedful, deaf] })
`

const asking = `import { Tactic } from 'lllm'
export default class Ask extends Tactic({ name: 'ask', agents: ['writer'] }) {
  async call(task) {
    return (await this.agents.writer.open('talk').receive(task).respond()).content
  }
}
`

const chief = `import { Tactic } from 'lllm'
import Manager from './manager.ts'
export default class Chief extends Tactic({ name: 'chief', agents: ['planner'], tactics: { manager: Manager } }) {
  async call(task) {
    await this.agents.planner.open('plan').receive('answer').respond()
    return this.tactics.manager(task)
  }
}
`

function passesOnTo(below: string, name: string) {
  return `import { Tactic } from 'lllm'
import Below from './${below}.ts'
export default class extends Tactic({ name: '${name}', tactics: { below: Below } }) {
  async call(task) {
    return this.tactics.below(task)
  }
}
`
}

const writer = (model: string) => `tactic_type: ask
global: { model_name: ${model}, system_prompt_path: worker }
agent_configs: [{ name: writer }]
`

/** A tactic that asks, with tools that do not end; and `chief`, which plans and then asks three levels below. */
export const hangUpPackage: Readonly<Record<string, string>> = {
  'prompts/worker.ts': worker,
  'tactics/ask.ts': asking,
  'tactics/chief.ts': chief,
  'tactics/manager.ts': passesOnTo('clerk', 'manager'),
  'tactics/clerk.ts': passesOnTo('ask', 'clerk'),
  'configs/ask/default.yaml': writer('gpt-4o'),
  // A provider's wish to be left alone holds for one model.
  'configs/ask/other.yaml': writer('gpt-4o-mini'),
  'configs/chief.yaml': config('chief', { planner: 'You plan.' }),
  'configs/manager.yaml': 'tactic_type: manager\n',
  'configs/clerk.yaml': 'tactic_type: clerk\n',
}

/** Longer than any other wait of the service, so that it can be told from those. */
export const retryAfterMs = 60_000

/** What the model does is what it is asked to do. */
export function obey({ lastText }: ProviderRequest): ScriptLine {
  switch (lastText) {
    case 'answer':
      return says('An answer.', { usage })
    case 'hang':
      return hang()
    case 'stall':
      return stallAfter(['Half ', 'a reply'])
    case 'refuse':
      return status(429, { headers: { 'retry-after': String(retryAfterMs / 1_000) } })
    default:
      return callsTool(lastText, {}, { usage })
  }
}
