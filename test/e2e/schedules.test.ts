import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { loadRuntime } from '../../src/load-runtime.ts'
import { config, writePackage } from './support/package.ts'
import { environmentOf } from './support/service.ts'

const files = {
  'tactics/answer.ts': `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'answer', agents: ['clerk'] }) {
  async call(task) { return (await this.agents.clerk.open('desk').receive(task).respond()).content }
}
`,
  'configs/answer.yaml': config('answer', { clerk: 'You help.' }),
}

/** Loads a package with one tactic, whose model is simulated, and a file of schedules. */
async function load(schedules: string) {
  const folder = await writePackage({ ...files, 'schedules.yaml': schedules })
  const runtime = await loadRuntime({
    folder,
    env: environmentOf({ env: { LLLM_SCHEDULES: join(folder, 'schedules.yaml') } }),
  })
  onTestFinished(() => runtime.close())
  return runtime
}

test('a schedule starts its runs in an embedded runtime, as soon as runs are worked on there', async () => {
  const runtime = await load(`schedules:
  - { name: often, tactic: answer, cron: "* * * * * *", task: bees, tags: { by: clock }, overlap: allow }
`)
  expect((await runtime.runs.list({}, 10)).data).toEqual([])
  await runtime.runs.start()
  await vi.waitFor(
    async () => {
      const { data } = await runtime.runs.list({ tags: { by: 'clock' }, state: 'success' }, 10)
      expect(data[0]).toMatchObject({ tactic: 'answer', schedule: 'often' })
    },
    { timeout: 10_000, interval: 20 },
  )
  const [status] = await runtime.schedules.list()
  expect(status).toMatchObject({ schedule: { name: 'often' }, last: { runId: expect.any(String) } })
})

test('a mistake in the file stops the start, and the message says where it is', async () => {
  const refused = load('schedules:\n  - { name: often, tactic: anser, cron: "* * * * *", task: bees }\n')
  await expect(refused).rejects.toMatchObject({ code: 'invalid-settings' })
  await expect(refused).rejects.toThrow(/schedules\.yaml:2:28: \/schedules\/0\/tactic: There is no tactic "anser"/)
})
