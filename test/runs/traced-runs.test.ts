import { expect, test } from 'vitest'
import { z } from 'zod'
import { definePrompt } from '../../src/domain/prompt.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { callsTool } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { recordTraces } from '../support/recorded-traces.ts'
import { runHouse } from './run-house.ts'

const weigh = defineTool({ name: 'weigh', description: 'Weighs.', args: z.object({}), run: () => '1 kg' })
const asking = definePrompt({ template: 'Weigh it.', tools: [weigh] })

class Scale extends Tactic({ name: 'scale', agents: ['clerk'] }) {
  async call(_task: string) {
    const { clerk } = this.agents
    await clerk.open('first').receivePrompt(asking, {}).respond()
    return (await clerk.open('second').receive('Sum up.').respond()).content
  }
}

test('what a run takes from its journal is marked where it is taken, and is no request nor call of a tool once more', async () => {
  const { tracing, ended, forget } = recordTraces()
  const stuck = Promise.withResolvers<void>()
  const before = await runHouse({
    tactics: [Scale],
    tracing,
    model: [
      callsTool('weigh', {}),
      says('It has 1 kg.'),
      (_request, signal) => {
        stuck.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    ],
  })
  const { id } = await before.submit('box')
  await stuck.promise
  await before.runs.drain(0)
  expect(ended()).toEqual([
    ['chat test-model', []],
    ['execute_tool weigh', []],
    ['chat test-model', []],
    ['invoke_agent clerk', []],
    ['chat test-model', []],
    ['invoke_agent clerk', []],
    ['invoke_workflow scale', []],
  ])
  forget()
  const after = await runHouse({ tactics: [Scale], tracing, model: [says('1 kg.')], left: before })
  await after.runs.wait(id, 10_000, new AbortController().signal)
  expect(ended()).toEqual([
    ['invoke_agent clerk', ['lllm.chat.replayed', 'lllm.tool.replayed', 'lllm.chat.replayed']],
    ['chat test-model', []],
    ['invoke_agent clerk', []],
    ['invoke_workflow scale', []],
  ])
})
