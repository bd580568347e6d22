import { expect, test } from 'vitest'
import { hang } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { scripted } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const forgetful = `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'forgetful', agents: ['writer'] }) {
  async call(task) {
    if (task === 'fine') return task
    // Nobody waits for either. What the second fails with is nobody's but its own.
    void this.agents.writer.open('talk').receive(task).respond()
    void new Promise((resolve) => setImmediate(resolve)).then(() => { throw new Error('nobody heard this') })
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    return 'over'
  }
}
`

test('what a tactic has begun and forgotten may fail: the service tells of it in its log, and goes on', async () => {
  const folder = await writePackage({
    'tactics/forgetful.ts': forgetful,
    'configs/forgetful.yaml': config('forgetful', { writer: 'You write.' }),
  })
  const service = await spawnService({ folder, provider: await scripted(() => hang()) })
  expect(await service.call('forgetful', 'wild')).toMatchObject({ status: 200, body: { result: 'over' } })
  expect(await service.call('forgetful', 'fine')).toMatchObject({ status: 200, body: { result: 'fine' } })
  expect(service.logLines).toContainEqual(
    expect.objectContaining({
      msg: 'unhandled-rejection',
      err: expect.objectContaining({ stack: expect.stringContaining('nobody heard this') }),
    }),
  )
})
