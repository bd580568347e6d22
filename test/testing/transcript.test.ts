import { definePrompt, defineTool, Tactic } from 'lllm'
import { callsTools, fails, type Script, says, saysJson, testRuntime, toTranscript } from 'lllm/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'

const find = defineTool({
  name: 'find',
  description: 'Finds a thing.',
  args: z.object({ thing: z.string() }),
  run: ({ thing }) => {
    if (thing === 'dodo') throw new Error('There are none left.')
    return { where: 'in the garden' }
  },
})

class Count extends Tactic({ name: 'count', agents: ['counter'], output: z.object({ count: z.number() }) }) {
  async call(task: string) {
    return this.agents.counter
      .open('count')
      .receive(task)
      .respondAs(z.object({ count: z.number() }))
  }
}

class Walk extends Tactic({ name: 'walk', agents: ['guide'], tactics: { count: Count } }) {
  async call(task: string) {
    const { guide } = this.agents
    guide.open('walk').receiveImage({ url: 'https://example.org/bee.png' }, task)
    await guide.respond()
    const { count } = await this.tactics.count('bees')
    return (await guide.receive(`There are ${count}.\nGo on.`).respond()).content
  }
}

async function transcriptOf(model: Script): Promise<string> {
  const { build, recordSessions } = await testRuntime({
    tactics: [Walk, Count],
    prompts: { 'system/guide': definePrompt({ template: 'You guide.', tools: [find] }) },
    model,
  })
  const sessions = recordSessions()
  await build(Walk).session('What is this?')
  return sessions.map(toTranscript).join('')
}

const calls = callsTools([
  { id: 'a', name: 'find', args: { thing: 'bee' } },
  { id: 'b', name: 'find', args: { thing: 'dodo' } },
])

test('a transcript tells who was told what and answered what, through sub-tactics, retries and tools', async () => {
  const script = {
    guide: [calls, 'A bee.', fails('rate-limited'), 'Here it ends.\nBye.'],
    counter: ['many', saysJson({ count: 3 })],
  }
  expect(await transcriptOf(script)).toMatchInlineSnapshot(`
    "tactic walk: success
      task: What is this?
      agent guide/walk
        system: You guide.
        user: What is this?
          [image https://example.org/bee.png]
        assistant calls find {"thing":"bee"}
        assistant calls find {"thing":"dodo"}
        tool: {"where":"in the garden"}
        tool: Error: There are none left.
        assistant: A bee.
      tactic count: success
        task: bees
        agent counter/count
          system: You are the counter.
          user: bees
          assistant: many
          user: Your reply could not be used: It is not JSON. Reply with the JSON value alone, without any other text.

            Please reply again, in full, with this corrected.
          assistant: {"count":3}
        result: {"count":3}
      agent guide/walk
        user: There are 3.
          Go on.
        ! test-model: rate-limited: The provider failed: rate-limited.
        assistant: Here it ends.
          Bye.
      result: Here it ends.
        Bye.
    "
  `)
})

test('a transcript of a failed call has its error, and what was said until then', async () => {
  expect(await transcriptOf([says('A bee.'), fails('rejected', { status: 400 })])).toMatchInlineSnapshot(`
    "tactic walk: failure
      task: What is this?
      agent guide/walk
        system: You guide.
        user: What is this?
          [image https://example.org/bee.png]
        assistant: A bee.
      tactic count: failure
        task: bees
        agent counter/count: failure
          system: You are the counter.
          user: bees
          ! test-model: rejected: The provider failed: rejected.
        error provider-rejected: The agent "counter" asked the model "test-model" once. The provider failed: rejected.
      error provider-rejected: The agent "counter" asked the model "test-model" once. The provider failed: rejected.
    "
  `)
})

test('a transcript is the same whatever the ids and the times', async () => {
  const transcripts = await Promise.all(
    [1, 2].map(() => transcriptOf({ guide: 'fine', counter: saysJson({ count: 1 }) })),
  )
  expect(transcripts[0]).toBe(transcripts[1])
  expect(transcripts[0]).not.toMatch(/[0-9a-f]{12}|2026|usd/)
})
