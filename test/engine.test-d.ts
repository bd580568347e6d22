// Checked by `tsc`, never run: what whoever calls the engine is told by the compiler.
import { z } from 'zod'
import type { Agent } from '../src/domain/agent.ts'
import { definePrompt } from '../src/domain/prompt.ts'
import { defineTool } from '../src/domain/tool.ts'
import type { HandleOf } from '../src/engine/handle.ts'
import { type InputOf, Tactic } from '../src/index.ts'

type Same<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2 ? true : false
const same = <Left, Right>(_: Same<Left, Right>) => {}

class Essay extends Tactic({
  name: 'essay',
  agents: ['writer'],
  input: z.object({ topic: z.string(), drafts: z.number().default(1) }),
  output: z.object({ text: z.string() }),
}) {
  async call({ topic, drafts }: InputOf<typeof Essay>) {
    return { text: topic.repeat(drafts) }
  }
}

async function callers(essay: HandleOf<typeof Essay>) {
  const { text } = await essay({ topic: 'bees' })
  same<typeof text, string>(true)
  // @ts-expect-error a misspelt field of the task
  await essay({ topik: 'bees' })
  // @ts-expect-error a task of the wrong type
  await essay('bees')

  const report = await essay.session({ topic: 'bees' }, { timeoutMs: 1_000 })
  // @ts-expect-error only a call that succeeded has a result
  void report.result
  if (report.ok) same<typeof report.result, { text: string }>(true)

  const [item] = await essay.batch([{ topic: 'bees' }], { maxWorkers: 2, failFast: true })
  if (item?.status === 'success') same<typeof item.result, { text: string }>(true)
  // @ts-expect-error only a task that failed has an error
  if (item?.status === 'success') void item.error
  // @ts-expect-error a misspelt option
  await essay.batch([{ topic: 'bees' }], { workersMax: 2 })
  for await (const { index } of essay.asCompleted([{ topic: 'bees' }])) same<typeof index, number>(true)
}

async function authors(writer: Agent) {
  const fact = await writer
    .open('talk')
    .receive('A fact.')
    .respondAs(z.object({ fact: z.string() }))
  same<typeof fact, { fact: string }>(true)

  const counted = definePrompt({ template: 'Count the {things}.', output: z.object({ count: z.number() }) })
  const reply = await writer.receivePrompt(counted, { things: 'bees' }).respond()
  same<typeof reply.parsed, { count: number }>(true)
  const shown = await writer
    .receivePrompt(counted, { things: 'bees' })
    .receiveImage({ url: 'https://example.org' })
    .respond()
  same<typeof shown.parsed, { count: number }>(true)
  // @ts-expect-error a variable of the prompt is missing
  writer.receivePrompt(counted, {})
  // @ts-expect-error a misspelt variable of the prompt
  writer.receivePrompt(counted, { thing: 'bees' })
  // @ts-expect-error messages are read, never written
  writer.messages.push({ role: 'user', content: 'x' })
}

defineTool({
  name: 'add',
  description: 'Adds.',
  args: z.object({ left: z.number() }),
  run: ({ left }, { signal }) => {
    same<typeof left, number>(true)
    return signal.aborted ? 0 : left
  },
})

void [callers, authors]
