import { describe, expect, test } from 'vitest'
import { answersBy, fails, hangs } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

const soon = () => new Promise<void>((resolve) => setImmediate(resolve))
const byTask = answersBy((text, request) => async (_request, signal) => {
  await soon()
  return (text.startsWith('bad') ? fails('rejected') : says(`re: ${text}`))(request, signal)
})
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `task ${index}`)

describe('a batch', () => {
  test('of 1,000 tasks with 50 workers never has more than 50 under way, and keeps the order of the tasks', async () => {
    const { call, model, stored } = house({ tactics: [Ask], model: byTask })
    const settled = await call.batch(numbered(1000), { maxWorkers: 50 })
    expect(model.mostInFlight).toBe(50)
    expect(settled.map(({ index }) => index)).toEqual(numbered(1000).map((_, index) => index))
    expect(settled[777]).toEqual({ index: 777, status: 'success', result: 're: task 777' })
    expect(stored).toHaveLength(1000)
  })

  test('gives failures as values and goes on', async () => {
    const { call } = house({ tactics: [Ask], model: byTask })
    const settled = await call.batch(['one', 'bad', 'three'])
    expect(settled.map(({ status }) => status)).toEqual(['success', 'failure', 'success'])
  })

  test('with failFast starts nothing after the first failure in time, and cancels what is under way', async () => {
    const model = answersBy((text) => (text === 'bad' ? byTask : hangs()))
    const { call, model: asked } = house({ tactics: [Ask], model })
    const settled = await call.batch(['slow', 'bad', ...numbered(50)], { maxWorkers: 2, failFast: true })
    expect(settled.map(({ status }) => status)).toEqual(['cancelled', 'failure', ...Array(50).fill('skipped')])
    expect(asked.requests).toHaveLength(2)
  })

  test('with failFast does not slip a task in when the failure comes while nobody reads', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const model = answersBy((text) => async (request, signal) => {
      if (text === 'bad') await held
      return byTask(request, signal)
    })
    const { call, model: asked } = house({ tactics: [Ask], model })
    const statuses: string[] = []
    for await (const { status } of call.asCompleted(['one', 'bad', 'three', 'four'], {
      maxWorkers: 2,
      failFast: true,
    })) {
      statuses.push(status)
      release()
      await soon()
      await soon()
    }
    expect(statuses).toEqual(['success', 'failure', 'skipped', 'skipped'])
    expect(asked.requests).toHaveLength(2)
  })

  test('is judged as a whole before anything is paid', async () => {
    const { call, model } = house({ tactics: [Ask] })
    await expect(call.batch(['one', 2 as never])).rejects.toMatchObject({
      code: 'invalid-task',
      data: { issues: [{ pointer: '/1' }] },
    })
    expect(model.requests).toEqual([])
  })

  test('of nothing is nothing', async () => {
    expect(await house({ tactics: [Ask] }).call.batch([])).toEqual([])
  })

  test.each([0, 1001, 1.5, Number.NaN])('with %s workers is refused', async (maxWorkers) => {
    const { call } = house({ tactics: [Ask] })
    await expect(call.batch(['one'], { maxWorkers })).rejects.toMatchObject({ code: 'invalid-request' })
  })

  test('that is stopped skips what was queued and cancels what was under way', async () => {
    const controller = new AbortController()
    const { call } = house({ tactics: [Ask], model: hangs(() => controller.abort()) })
    const settled = await call.batch(numbered(5), { maxWorkers: 1, signal: controller.signal })
    expect(settled.map(({ status }) => status)).toEqual(['cancelled', 'skipped', 'skipped', 'skipped', 'skipped'])
  })

  test('runs out of its time as a whole', async () => {
    const { call } = house({ tactics: [Ask], model: hangs() })
    const settled = await call.batch(numbered(3), { maxWorkers: 1, timeoutMs: 1 })
    expect(settled.map(({ status }) => status)).toEqual(['cancelled', 'skipped', 'skipped'])
    expect(settled[0]).toMatchObject({ error: { code: 'deadline-exceeded' } })
  })

  test('passes tags and the choice of a config on to every call', async () => {
    const agent = { model_name: 'test-model', agent_configs: [{ name: 'writer', system_prompt: 'x' }] }
    const { model_name, ...rest } = agent
    const config = { global: { model_name }, ...rest }
    const { call, stored } = house({ tactics: [Ask], configs: { 'ask/default': config, 'ask/pro': config } })
    await call.batch(['one', 'two'], { tags: { team: 'bees' }, config: 'pro' })
    expect(stored.map(({ tags, config: { name } }) => [tags['team'], name])).toEqual(Array(2).fill(['bees', 'ask/pro']))
  })
})

describe('results as they complete', () => {
  test('come in the order of completion, with their index', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const model = answersBy((text) => async (request, signal) => {
      if (text === 'slow') await held
      return says(text)(request, signal)
    })
    const { call } = house({ tactics: [Ask], model })
    const order: number[] = []
    for await (const { index } of call.asCompleted(['slow', 'quick'])) {
      order.push(index)
      release()
    }
    expect(order).toEqual([1, 0])
  })

  test('leaving the loop cancels the rest: nothing more is paid, and all that was is stored', async () => {
    const model = answersBy((text) => (text === 'task 0' ? says('first') : hangs()))
    const { call, model: asked, stored } = house({ tactics: [Ask], model })
    for await (const item of call.asCompleted(numbered(100), { maxWorkers: 3 })) {
      expect(item.index).toBe(0)
      break
    }
    expect(asked.requests.length).toBeLessThanOrEqual(4)
    expect(stored.map(({ state }) => state).toSorted()).toEqual(['cancelled', 'cancelled', 'success'])
  })
})
