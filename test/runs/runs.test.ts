import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ProviderError } from '../../src/domain/invoker.ts'
import { definePrompt } from '../../src/domain/prompt.ts'
import type { RunEvent } from '../../src/domain/run.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { callsTool } from '../../src/testing/answers.ts'
import { answering, nothingYet, runHouse } from './run-house.ts'

class Summary extends Tactic({ name: 'summary', agents: ['writer'] }) {
  async call(task: string) {
    const { writer } = this.agents
    return (await writer.open('draft').receive(task).respond()).content
  }
}

/** Two steps, the second of which may be kept from ending. */
class TwoSteps extends Tactic({ name: 'two_steps', agents: ['writer'] }) {
  async call(task: string) {
    const { writer } = this.agents
    const first = (await writer.open('first').receive(`first ${task}`).respond()).content
    return (await writer.open('second').receive(`second ${first}`).respond()).content
  }
}

const soon = () => AbortSignal.timeout(10_000)

async function typesOf(events: AsyncIterable<{ readonly event: RunEvent }>) {
  return Array.fromAsync(events, ({ event }) => event.type)
}

describe('a run', () => {
  test('ends with the result of its tactic, and its session has its id', async () => {
    const { runs, submit, store } = await runHouse({ tactics: [Summary], model: ['Bees dance.'] })
    const { id, state } = await submit('bees', { tags: { team: 'red' } })
    expect(state).toBe('queued')
    const ended = await runs.wait(id, 10_000, soon())
    expect(ended).toMatchObject({
      state: 'success',
      attempt: 1,
      llmCalls: 1,
      outcome: { ok: true, result: 'Bees dance.' },
    })
    expect(await store.get(id)).toMatchObject({ id, state: 'success', result: 'Bees dance.', tags: { team: 'red' } })
  })

  test('tells what happens in it from its start to its one end, long afterwards too', async () => {
    const { runs, submit } = await runHouse({ tactics: [Summary], model: ['Bees dance.'] })
    const { id } = await submit('bees')
    const live = await typesOf(runs.follow(id, 0, soon()))
    expect(live).toEqual(['session.started', 'agent.started', 'agent.delta', 'agent.completed', 'result'])
    expect(await typesOf(runs.follow(id, 0, soon()))).toEqual(live)
  })

  test('that waits is cancelled at once, and costs nothing', async () => {
    const { runs, submit, model } = await runHouse({ tactics: [Summary], model: [] })
    const { id } = await submit('bees', { runAtMs: Date.now() + 3_600_000 })
    expect(await runs.cancel(id, 'not needed')).toMatchObject({
      state: 'cancelled',
      outcome: { ok: false, error: { code: 'cancelled', message: 'The run was cancelled: not needed' } },
    })
    expect(await typesOf(runs.follow(id, 0, soon()))).toEqual(['error'])
    expect(model.requests).toHaveLength(0)
    await expect(runs.cancel(id, 'again')).rejects.toMatchObject({ code: 'run-conflict' })
  })

  test('under way is cancelled at its provider, and its session says why', async () => {
    const asked = Promise.withResolvers<void>()
    const { runs, submit, store } = await runHouse({
      tactics: [Summary],
      model: answering(() => nothingYet, asked.resolve),
    })
    const { id } = await submit('bees')
    await asked.promise
    await runs.cancel(id, 'too slow')
    expect(await runs.wait(id, 10_000, soon())).toMatchObject({ state: 'cancelled', cancelReason: 'too slow' })
    expect(await store.get(id)).toMatchObject({ state: 'cancelled', end_reason: 'cancelled' })
  })

  test('that has failed goes on from its finished calls when it is resumed', async () => {
    let isRepaired = false
    const script = answering((text) => {
      if (text === 'first bees') return 'one'
      if (isRepaired) return 'two'
      throw new ProviderError('rejected', 'The model is broken.')
    })
    const { runs, submit, model, store } = await runHouse({ tactics: [TwoSteps], model: script })
    const { id } = await submit('bees')
    expect(await runs.wait(id, 10_000, soon())).toMatchObject({ state: 'failure' })
    isRepaired = true
    await runs.resume(id)
    expect(await runs.wait(id, 10_000, soon())).toMatchObject({
      state: 'success',
      outcome: { ok: true, result: 'two' },
    })
    const asked = model.requests.map(({ messages }) => messages.at(-1)?.content)
    expect(asked.filter((text) => text === 'first bees')).toHaveLength(1)
    expect(await typesOf(runs.follow(id, 0, soon()))).toEqual(
      expect.arrayContaining(['session.started', 'run.resumed', 'result']),
    )
    expect(await store.get(id)).toMatchObject({ id, state: 'success' })
    await expect(runs.resume(id)).rejects.toMatchObject({ code: 'run-conflict' })
  })

  test('is forgotten with its session when it is deleted', async () => {
    const { runs, submit, store } = await runHouse({ tactics: [Summary], model: ['Bees dance.'] })
    const { id } = await submit('bees')
    await runs.wait(id, 10_000, soon())
    await runs.delete(id)
    await expect(runs.get(id)).rejects.toMatchObject({ code: 'unknown-run' })
    expect(await store.get(id)).toBeUndefined()
  })
})

describe('a process that comes after another', () => {
  test('goes on from what that one had finished, and asks for nothing twice', async () => {
    const stuck = Promise.withResolvers<void>()
    const before = await runHouse({
      tactics: [TwoSteps],
      model: answering((text) => (text === 'first bees' ? 'one' : nothingYet), stuck.resolve),
    })
    const { id } = await before.submit('bees')
    await stuck.promise
    await before.runs.drain(0)
    const after = await runHouse({ tactics: [TwoSteps], model: ['two'], left: before })
    expect(await after.runs.wait(id, 10_000, soon())).toMatchObject({
      state: 'success',
      attempt: 2,
      outcome: { ok: true, result: 'two' },
    })
    expect(after.model.requests.map(({ messages }) => messages.at(-1)?.content)).toEqual(['second one'])
    const session = await after.store.get(id)
    // The request that was stopped was paid for, as far as anybody knows: it stays in the session.
    expect(session?.llm_call_count).toBe(3)
    expect(session?.agent_calls.map(({ llm_calls }) => llm_calls.length)).toEqual([1, 2])
    const types = await typesOf(after.runs.follow(id, 0, soon()))
    expect(types.filter((type) => type === 'session.started')).toHaveLength(1)
    expect(types.filter((type) => type === 'agent.started')).toHaveLength(2)
    expect(types.at(-1)).toBe('result')
  })

  test('makes a tool call again under the same key', async () => {
    const keys: string[] = []
    const began = Promise.withResolvers<void>()
    let isStuck = true
    const book = defineTool({
      name: 'book',
      description: 'Books a room.',
      args: z.object({ room: z.string() }),
      async run({ room }, { idempotencyKey, signal }) {
        keys.push(idempotencyKey)
        if (!isStuck) return `booked ${room}`
        began.resolve()
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
    })
    class Booking extends Tactic({ name: 'booking', agents: ['clerk'] }) {
      async call(task: string) {
        const { clerk } = this.agents
        clerk.open('book')
        clerk.receivePrompt(definePrompt({ template: '{task}', tools: [book] }), { task })
        return (await clerk.respond()).content
      }
    }
    const before = await runHouse({ tactics: [Booking], model: [callsTool('book', { room: 'blue' })] })
    const { id } = await before.submit('a room')
    await began.promise
    await before.runs.drain(0)
    isStuck = false
    const after = await runHouse({ tactics: [Booking], model: ['It is yours.'], left: before })
    expect(await after.runs.wait(id, 10_000, soon())).toMatchObject({ outcome: { ok: true, result: 'It is yours.' } })
    expect(keys).toHaveLength(2)
    expect(keys[1]).toBe(keys[0])
  })

  test('does not take up a run whose key was revoked meanwhile, and says what it has cost', async () => {
    const key = { id: 'abcdefghijkm', concurrency: null }
    const asked = Promise.withResolvers<void>()
    const model = answering((text) => (text.startsWith('first') ? 'done' : nothingYet), asked.resolve)
    const before = await runHouse({ tactics: [TwoSteps], model })
    const { id } = await before.submit('bees', { key })
    await asked.promise
    await before.runs.drain(0)
    const after = await runHouse({ tactics: [TwoSteps], model: [], left: before, refusalOf: async () => 'was revoked' })
    expect(await after.runs.wait(id, 10_000, soon())).toMatchObject({
      state: 'cancelled',
      cancelReason: 'its key was revoked',
      outcome: { error: { code: 'cancelled', message: 'The run was cancelled: its key was revoked' } },
      llmCalls: 2,
    })
    expect(after.model.requests).toEqual([])
  })

  test('gives up a run that was started too often, and says what it has cost', async () => {
    const stuck = Promise.withResolvers<void>()
    const before = await runHouse({
      tactics: [TwoSteps],
      attemptsMax: 1,
      model: answering((text) => (text === 'first bees' ? 'one' : nothingYet), stuck.resolve),
    })
    const { id } = await before.submit('bees')
    await stuck.promise
    await before.runs.drain(0)
    const after = await runHouse({ tactics: [TwoSteps], attemptsMax: 1, model: [], left: before })
    expect(await after.runs.wait(id, 10_000, soon())).toMatchObject({
      state: 'failure',
      outcome: { ok: false, error: { code: 'run-abandoned' } },
      llmCalls: 2,
    })
  })
})

describe('a batch of runs', () => {
  test('has a count for each state, its results in order, and one cost', async () => {
    const { runs, engine } = await runHouse({
      tactics: [Summary],
      model: answering((text) => `re: ${text}`),
    })
    const tactic = engine.find('summary')
    const calls = await Promise.all(['one', 'two', 'three'].map((task) => engine.prepare(tactic, task)))
    const { id } = await runs.submitBatch(calls)
    for await (const run of runs.batchRuns(id)) await runs.wait(run.id, 10_000, soon())
    const results = await Array.fromAsync(runs.batchRuns(id), ({ outcome }) => outcome)
    expect(results).toEqual(['one', 'two', 'three'].map((task) => ({ ok: true, result: `re: ${task}` })))
    const batch = await runs.batch(id)
    expect(batch.counts).toEqual({ queued: 0, running: 0, success: 3, failure: 0, cancelled: 0 })
    expect(batch.cost.pricedCalls).toBe(3)
  })

  test('is cancelled with all of its runs that have not ended', async () => {
    const { runs, engine } = await runHouse({ tactics: [Summary], model: [] })
    const call = await engine.prepare(engine.find('summary'), 'bees')
    const { id } = await runs.submitBatch([call, call], { runAtMs: Date.now() + 3_600_000 })
    expect((await runs.cancelBatch(id, 'enough')).counts).toMatchObject({ queued: 0, cancelled: 2 })
  })
})
