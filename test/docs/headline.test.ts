import { fileURLToPath } from 'node:url'
import { costUsd, loadRuntime } from 'lllm'
import { expect, test } from 'vitest'
import Headline from '../../examples/first/tactics/headline.ts'
import { startScriptedModel } from '../../examples/testing/scripted-model.ts'

const folder = fileURLToPath(new URL('../../examples/first/', import.meta.url))

// #region simulated
test('a headline is made of any text', async () => {
  // Without a key in its environment, the runtime takes the simulated model.
  const runtime = await loadRuntime({ folder, env: { LLLM_DATABASE: ':memory:' } })
  try {
    const { headlines } = await runtime.build(Headline)({ text: 'It rained.' })
    expect(headlines).toHaveLength(3)
  } finally {
    await runtime.close()
  }
})
// #endregion

// #region scripted
test('a reply with too few headlines is sent back, and paid for', async () => {
  const model = await startScriptedModel(['{"headlines":["Rain"]}', '{"headlines":["Rain","Wet","It pours"]}'])
  const runtime = await loadRuntime({ folder, env: { LLLM_DATABASE: ':memory:', OPENAI_BASE_URL: model.url } })
  try {
    const report = await runtime.build(Headline).session({ text: 'It rained.' })
    expect(report).toMatchObject({ ok: true, result: { headlines: ['Rain', 'Wet', 'It pours'] } })
    expect(model.requests).toHaveLength(2)
    expect(costUsd(report.session.cost)).toBe(0.00042) // gpt-4o-mini: 2 × (1000 × $0.15 + 100 × $0.60) per million
  } finally {
    await runtime.close()
    await model.close()
  }
})
// #endregion
