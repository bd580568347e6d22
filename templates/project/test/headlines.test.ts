import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { saysJson, testRuntime } from 'lllm/testing'
import Headlines from '../tactics/headlines.ts'

const folder = join(import.meta.dirname, '..')

test('headlines come as the model has made them', async () => {
  const headlines = ['Rain', 'More rain', 'Still rain']
  const runtime = await testRuntime({ folder, model: [saysJson({ headlines })] })
  const suggest = runtime.build(Headlines)

  assert.deepEqual(await suggest({ text: 'It rained for ten days.' }), { headlines })
  assert.match(runtime.model.textsOf('editor')[0] ?? '', /three plain headlines.*It rained/s)
  runtime.model.expectDone()
})

test('a reply that does not fit goes back to the model', async () => {
  const model = [saysJson({ headlines: ['Rain'] }), saysJson({ headlines: ['Rain', 'More rain', 'Still rain'] })]
  const runtime = await testRuntime({ folder, model })

  await runtime.build(Headlines)({ text: 'It rained for ten days.', tone: 'witty' })
  assert.match(runtime.model.textsOf('editor')[1] ?? '', /headlines/)
  runtime.model.expectDone()
})
