import { expect, test } from 'vitest'
import { wireText } from '../support/provider-wire.ts'
import { createGate, type ProviderRequest } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { scripted, startService } from './support/service.ts'

const callCount = 500

/** A tactic with fields that it changes, agents with several dialogs, a fork, and a sub-tactic with a field as well. */
const files = {
  'configs/diary.yaml': config('diary', { writer: 'You write.', reader: 'You read.' }),
  'configs/stamp.yaml': config('stamp', { stamper: 'You stamp.' }),
  'tactics/stamp.ts': `import { Tactic } from 'lllm'
export default class Stamp extends Tactic({ name: 'stamp', agents: ['stamper'] }) {
  stamps = 0
  async call(task: string) {
    this.stamps += 1
    const reply = await this.agents.stamper.open('main').receive(task + ' stamp').respond()
    return reply.content + ' ' + this.stamps
  }
}
`,
  'tactics/diary.ts': `import { type Agent, Tactic } from 'lllm'
import Stamp from './stamp.ts'
export default class Diary extends Tactic({ name: 'diary', agents: ['writer', 'reader'], tactics: { stamp: Stamp } }) {
  lines: string[] = []
  count = 0

  async call(task: string) {
    const { writer, reader } = this.agents
    await this.note(writer.open('first').receive(task + ' one'))
    writer.open('second').receive(task + ' two')
    reader.open('only').receive(task + ' three')
    await Promise.all([this.note(writer), this.note(reader)])
    await this.note(writer.switch('first').receive(task + ' four'))
    await this.note(writer.fork('first', 'copy').receive(task + ' five'))
    this.lines.push(await this.tactics.stamp(task))
    return JSON.stringify({ count: this.count, lines: this.lines.toSorted(), dialogs: [...writer.aliases, ...reader.aliases] })
  }

  async note(agent: Agent) {
    this.lines.push((await agent.respond()).content)
    this.count += 1
  }
}
`,
}

/** All that the model was told by the user, so that a message of another call or dialog would show. */
function repeatAll({ messages }: ProviderRequest): string {
  return messages
    .filter(({ role }) => role === 'user')
    .map(wireText)
    .join(' | ')
}

test(`${callCount} calls at once, of a tactic with fields and several dialogs, share nothing`, async () => {
  const allBegun = createGate()
  const provider = await scripted(async (request) => {
    if (request.lastText.endsWith(' one')) await allBegun.opened
    return repeatAll(request)
  })
  const service = await startService({ provider, folder: await writePackage(files) })
  const tasks = Array.from({ length: callCount }, (_, index) => `task-${String(index).padStart(3, '0')}`)

  const calls = tasks.map((task) => service.call('diary', task, { return_session: true, tags: { task } }))
  await provider.until(({ inFlight }) => inFlight === callCount)
  allBegun.open()
  const answers = await Promise.all(calls)

  for (const [index, task] of tasks.entries()) {
    const answer = answers[index]
    expect(answer?.status).toBe(200)
    expect(JSON.parse(String(answer?.body.result))).toEqual({
      count: 5,
      lines: [
        `${task} one`,
        `${task} one | ${task} four`,
        `${task} one | ${task} four | ${task} five`,
        `${task} stamp 1`,
        `${task} three`,
        `${task} two`,
      ],
      dialogs: ['first', 'second', 'copy', 'only'],
    })
    expect(answer?.body.session).toMatchObject({ task, tags: { task }, agent_call_count: 5, sub_tactic_call_count: 1 })
    // The whole answer, session and all, speaks of this task alone.
    expect(new Set(answer?.text.match(/task-\d{3}/g))).toEqual(new Set([task]))
  }
  expect(new Set(answers.map(({ body }) => body.session_id)).size).toBe(callCount)
  expect(provider.requests).toHaveLength(callCount * 6)
})
