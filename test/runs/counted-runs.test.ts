import { expect, test } from 'vitest'
import type { Observation } from '../../src/domain/observation.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { fails, hangs } from '../../src/testing/answers.ts'
import { runHouse } from './run-house.ts'

class TwoSteps extends Tactic({ name: 'two_steps', agents: ['writer'] }) {
  async call(task: string) {
    const { writer } = this.agents
    const first = (await writer.open('first').receive(`first ${task}`).respond()).content
    return (await writer.open('second').receive(`second ${first}`).respond()).content
  }
}

function withoutFigures(observations: readonly Observation[]) {
  return observations.map((told) => {
    const outcome = 'outcome' in told ? told.outcome : 'state' in told ? told.state : undefined
    return outcome === undefined ? told.type : `${told.type} ${outcome}`
  })
}

test('what an earlier attempt of a run has done is not counted again by the next one', async () => {
  const stuck = Promise.withResolvers<void>()
  const [earlier, later]: [Observation[], Observation[]] = [[], []]
  const before = await runHouse({
    tactics: [TwoSteps],
    model: [fails('failed'), 'one', hangs(stuck.resolve)],
    observe: (told) => earlier.push(told),
  })
  const { id } = await before.submit('bees')
  await stuck.promise
  await before.runs.drain(0)
  expect(withoutFigures(earlier)).toEqual([
    'call.started',
    'model.asked failed',
    'model.retried',
    'model.asked ok',
    'model.asked cancelled',
    // The run has not ended: it goes on.
    'call.ended released',
  ])

  const after = await runHouse({
    tactics: [TwoSteps],
    model: ['two'],
    left: before,
    observe: (told) => later.push(told),
  })
  const ended = await after.runs.wait(id, 10_000, AbortSignal.timeout(10_000))
  expect(ended).toMatchObject({ state: 'success', attempt: 2 })
  expect(withoutFigures(later)).toEqual(['call.started', 'model.asked ok', 'call.ended success'])
})
