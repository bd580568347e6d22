import { expect, test } from 'vitest'
import { openTraceReceiver, outline } from '../e2e/support/trace-receiver.ts'
import { startTwo } from './two-services.ts'

test('a call of a remote tactic is one trace over both services', async () => {
  const receiver = await openTraceReceiver()
  const { near, far } = await startTwo({ env: receiver.env, farEnv: receiver.env })
  await near.call('chief', 'bees')
  await near.close()
  await far.close()
  const [tree, ...others] = receiver.trees()
  expect(others).toEqual([])
  expect(tree && outline(tree)).toEqual([
    'server POST /tactics/chief',
    '  internal invoke_workflow chief',
    '    client invoke_workflow researcher',
    '      server POST /tactics/researcher',
    '        internal invoke_workflow researcher',
    '          internal invoke_agent writer',
    '            client chat small-1',
    '          internal invoke_workflow note',
    '            internal invoke_agent writer',
    '              client chat small-1',
  ])
  const [here, there] = receiver.named('invoke_workflow researcher')
  expect(here?.attributes).toMatchObject({
    'server.port': Number(new URL(far.url).port),
    'lllm.session.id': there?.attributes['lllm.session.id'],
  })
})
