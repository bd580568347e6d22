import { expect, test } from 'vitest'
import { Tactic } from '../../src/domain/tactic.ts'
import { createRunQueue } from '../../src/runs/run-queue.ts'
import { runHouse } from './run-house.ts'

/** A queue of a store that has as many waiting as a test says, and counts how often it is asked. */
function open(queuedMax: number) {
  const state = { nowMs: 1_000_000, waiting: 0, asked: 0 }
  const countQueued = async (countMax: number) => {
    state.asked++
    return Math.min(countMax, state.waiting)
  }
  const queue = createRunQueue({ of: () => ({ countQueued }) }, { now: () => state.nowMs }, queuedMax)
  return { state, admit: (count: number, tenant = 'acme') => queue.admit(tenant, count) }
}

const refused = expect.objectContaining({ code: 'rate-limited' })

test('what waits is counted once in ten seconds, however many runs are let in', async () => {
  const { state, admit } = open(1_000)
  for (let count = 0; count < 500; count++) await admit(1)
  expect(state.asked).toBe(1)
  state.nowMs += 10_000
  await admit(1)
  expect(state.asked).toBe(2)
})

test('runs are let in up to the bound, and again when some of them have begun', async () => {
  const { state, admit } = open(10)
  state.waiting = 4
  await admit(6)
  await expect(admit(1)).rejects.toEqual(refused)
  expect(state.asked).toBe(1)
  Object.assign(state, { waiting: 9, nowMs: state.nowMs + 1_000 })
  await admit(1)
  await expect(admit(1)).rejects.toEqual(refused)
  expect(state.asked).toBe(2)
})

test('each tenant has a bound of its own', async () => {
  const { admit } = open(1)
  await admit(1)
  await admit(1, 'globex')
  await expect(admit(1)).rejects.toEqual(refused)
})

test('many who come at once are counted once, and get no more than there is room for', async () => {
  const { state, admit } = open(10)
  const answers = await Promise.allSettled(Array.from({ length: 30 }, () => admit(1)))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  expect(state.asked).toBe(1)
})

test('more at once than may ever wait are refused for good', async () => {
  const { admit } = open(10)
  await expect(admit(11)).rejects.toMatchObject({ code: 'invalid-request' })
})

test('a run that is submitted again under its id takes no more room', async () => {
  class Idle extends Tactic({ name: 'idle', agents: ['writer'] }) {
    async call(task: string) {
      return task
    }
  }
  const { submit } = await runHouse({ tactics: [Idle], model: [], queuedRunsMax: 1 })
  const runAtMs = Date.now() + 3_600_000
  const options = { id: '019ffaaa-0000-7000-8000-000000000001', runAtMs }
  await submit('bees', options)
  await expect(submit('bees', { runAtMs })).rejects.toEqual(refused)
  expect(await submit('bees', options)).toMatchObject({ id: options.id, state: 'queued' })
})
