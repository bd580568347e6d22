import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createRedactor } from '../../src/domain/redact.ts'
import type { StoreContent } from '../../src/domain/store-content.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { answering, nothingYet, runHouse } from './run-house.ts'

const token = 'sk-canary-0123456789abcdef'
const task = `canary-task ${token}`

class Echo extends Tactic({ name: 'echo', agents: ['writer'] }) {
  async call(asked: string) {
    await this.emit({ progress: asked })
    return (await this.agents.writer.open('draft').receive(asked).respond()).content
  }
}

class Parent extends Tactic({ name: 'parent', agents: ['writer'], tactics: { echo: Echo } }) {
  async call(asked: string) {
    return this.tactics.echo(asked)
  }
}

class Picky extends Tactic({ name: 'picky', agents: ['writer'], output: z.object({ never: z.string() }) }) {
  async call(asked: string) {
    await this.agents.writer.open('draft').receive(asked).respond()
    return { no: asked } as never
  }
}

const config = (storeContent: StoreContent, ...agents: readonly string[]) => ({
  global: { model_name: 'test-model' },
  store_content: storeContent,
  agent_configs: agents.map((name) => ({ name, system_prompt: `You are the ${name}.` })),
})

const content = { most: 'full', redactor: createRedactor([]) } as const
const soon = () => AbortSignal.timeout(10_000)

async function everythingOf({ runs, runStore, store }: Awaited<ReturnType<typeof runHouse>>, id: string) {
  const parts = [await runs.get(id), await store.get(id), await runStore.history(id), await runStore.events(id, 0, 100)]
  return { parts, text: JSON.stringify(parts) }
}

describe('a run whose texts may not be kept', () => {
  test('has its task while it is under way, and at its end its result alone', async () => {
    const house = await runHouse({
      tactics: [Echo],
      model: [answering(() => 'the result')],
      configs: { echo: config('none', 'writer') },
      content,
    })
    const { id, request } = await house.submit(task, { metadata: { note: 'canary-metadata' } })
    expect(request).toMatchObject({ task, content: 'none' })
    const ended = await house.runs.wait(id, 10_000, soon())
    expect(ended).toMatchObject({
      state: 'success',
      outcome: { ok: true, result: 'the result' },
      request: { task: null, metadata: {}, content: 'none' },
      llmCalls: 1,
    })
    const { text, parts } = await everythingOf(house, id)
    expect(text).not.toContain('canary')
    expect(parts[1]).toMatchObject({ content: 'none', task: null, result: null, llm_call_count: 1 })
  })

  test('cannot be resumed when it has failed: nobody knows any more what it was to do', async () => {
    const house = await runHouse({
      tactics: [Picky],
      model: [answering(() => 'x')],
      configs: { picky: config('none', 'writer') },
      content,
    })
    const { id } = await house.submit(task)
    expect(await house.runs.wait(id, 10_000, soon())).toMatchObject({ state: 'failure' })
    await expect(house.runs.resume(id)).rejects.toMatchObject({
      code: 'run-conflict',
      message: expect.stringContaining('Nothing was kept'),
    })
    expect((await everythingOf(house, id)).text).not.toContain('canary')
  })

  test('is one in whose course a sub-tactic may be called of which that is so', async () => {
    const house = await runHouse({
      tactics: [Parent, Echo],
      model: [answering(() => 'the result')],
      configs: { parent: config('full', 'writer'), echo: config('none', 'writer') },
      content,
    })
    const { id } = await house.submit(task)
    await house.runs.wait(id, 10_000, soon())
    const { parts } = await everythingOf(house, id)
    expect(parts[0]).toMatchObject({ request: { task: null, content: 'none' } })
    // Of what the parent itself did, its own config decides.
    expect(parts[1]).toMatchObject({ task, sub_sessions: [{ task: null, content: 'none' }] })
    expect(JSON.stringify(parts.slice(2))).not.toContain('canary')
  })

  test('goes on from its journal after its process has ended, and leaves nothing then', async () => {
    const { promise: waits, resolve: onWait } = Promise.withResolvers<void>()
    class Twice extends Tactic({ name: 'twice', agents: ['writer'] }) {
      async call(asked: string) {
        const first = (await this.agents.writer.open('one').receive(asked).respond()).content
        return (await this.agents.writer.open('two').receive(`again ${first}`).respond()).content
      }
    }
    const spec = { tactics: [Twice], configs: { twice: config('none', 'writer') }, content } as const
    const stops = answering((text) => (text.startsWith('again') ? nothingYet : 'canary-reply'), onWait)
    const first = await runHouse({ ...spec, model: stops })
    const { id } = await first.submit(task)
    await waits
    await first.runs.drain(0)
    const second = await runHouse({ ...spec, model: answering((text) => `heard ${text.length}`), left: first })
    expect(await second.runs.wait(id, 10_000, soon())).toMatchObject({ state: 'success', attempt: 2 })
    expect(second.model.requests).toHaveLength(1)
    expect((await everythingOf(second, id)).text).not.toContain('canary')
  })
})

describe('a run of which secrets may not be kept', () => {
  test('leaves everything without what looks like one', async () => {
    const house = await runHouse({
      tactics: [Echo],
      model: [answering((text) => `heard ${text}`)],
      configs: { echo: config('redacted', 'writer') },
      content,
    })
    const { id } = await house.submit(task)
    expect(await house.runs.wait(id, 10_000, soon())).toMatchObject({
      outcome: { ok: true, result: 'heard canary-task [redacted]' },
      request: { task: 'canary-task [redacted]', content: 'redacted' },
    })
    const { text } = await everythingOf(house, id)
    expect(text).toContain('canary-task')
    expect(text).not.toContain(token)
  })

  test('goes on from what was kept of it when it is resumed', async () => {
    const house = await runHouse({
      tactics: [Picky],
      model: answering((text) => `heard ${text}`),
      configs: { picky: config('redacted', 'writer') },
      content,
    })
    const { id } = await house.submit(task)
    await house.runs.wait(id, 10_000, soon())
    expect((await everythingOf(house, id)).text).not.toContain(token)
    await house.runs.resume(id)
    expect(await house.runs.wait(id, 10_000, soon())).toMatchObject({ state: 'failure', attempt: 2 })
    expect(house.model.requests.at(-1)?.messages.at(-1)).toMatchObject({ content: 'canary-task [redacted]' })
  })
})

test('a run all of whose texts may be kept loses the values that are known, and nothing else', async () => {
  const house = await runHouse({
    tactics: [Echo],
    model: answering((text) => `heard ${text}`),
    content: { most: 'full', redactor: createRedactor(['canary-task']) },
  })
  const { id } = await house.submit(task)
  expect(await house.runs.wait(id, 10_000, soon())).toMatchObject({
    outcome: { ok: true, result: `heard [redacted] ${token}` },
    request: { task: `[redacted] ${token}` },
  })
  expect((await everythingOf(house, id)).text).not.toContain('canary-task')
})

describe('the events of a run', () => {
  const secret = 'canary horse battery 0001'

  async function deltasOf(reply: string) {
    const house = await runHouse({
      tactics: [Echo],
      model: answering(() => reply),
      content: { most: 'full', redactor: createRedactor([secret]) },
    })
    const { id } = await house.submit('hello')
    await house.runs.wait(id, 10_000, soon())
    const events = (await house.runStore.events(id, 0, 100)).map(({ event }) => event)
    const text = events.map((event) => (event.type === 'agent.delta' ? event.text : '')).join('')
    return { text, types: events.map(({ type }) => type) }
  }

  test('have no secret that comes in pieces', async () => {
    const { text } = await deltasOf(`The key is ${secret} and ${Buffer.from(secret).toString('base64')} bye.`)
    expect(text).toMatch(/^The key is \[redacted\] and \[redacted\].{0,4} bye\.$/)
  })

  test('have all that only begins like one, before the agent has ended', async () => {
    const { text, types } = await deltasOf('The key is canary horse battery ')
    expect(text).toBe('The key is canary horse battery ')
    expect(types.lastIndexOf('agent.delta')).toBe(types.indexOf('agent.completed') - 1)
  })
})

test.each([
  ['full', { known: '[redacted]', shape: token }],
  ['redacted', { known: '[redacted]', shape: '[redacted]' }],
  ['none', { known: '[redacted]', shape: '[redacted]' }],
] as const)(
  'the tags of a run, its batch and its session stay with %s, without secrets',
  async (storeContent, expected) => {
    const house = await runHouse({
      tactics: [Echo],
      model: answering(() => 'x'),
      configs: { echo: config(storeContent, 'writer') },
      content: { most: 'full', redactor: createRedactor(['canary-tag']) },
    })
    const tags = { team: 'red', known: 'canary-tag', shape: token }
    const { id } = await house.submit('hello', { tags })
    await house.runs.wait(id, 10_000, soon())
    const batch = await house.runs.submitBatch([await house.engine.prepare(house.engine.find('echo'), 'hello')], {
      tags,
    })
    const stored = [await house.runs.get(id), await house.store.get(id), batch]
    expect(stored.map((one) => one?.tags)).toEqual(stored.map(() => ({ team: 'red', ...expected })))
  },
)

test('a setting makes all configs as strict as it is', async () => {
  const strict = { most: 'none', redactor: createRedactor([]) } as const
  const house = await runHouse({ tactics: [Echo], model: answering(() => 'x'), content: strict })
  const { id } = await house.submit(task)
  await house.runs.wait(id, 10_000, soon())
  expect((await everythingOf(house, id)).text).not.toContain('canary')
})

test('a run that is cancelled before it begins keeps no secret whose value is known, and one without any keeps its task', async () => {
  const known = { most: 'full', redactor: createRedactor([token]) } as const
  const house = await runHouse({ tactics: [Echo], model: [], content: known })
  const later = { runAtMs: Date.now() + 3_600_000 }
  const secret = await house.submit(task, later)
  const plain = await house.submit('plain', later)
  for (const { id } of [secret, plain]) await house.runs.cancel(id, 'no longer needed')
  expect((await everythingOf(house, secret.id)).text).not.toContain(token)
  expect((await house.runs.get(plain.id)).request).toMatchObject({ task: 'plain' })
})
