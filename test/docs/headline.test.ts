import { fileURLToPath } from 'node:url'
import { loadRuntime } from 'lllm'
import { expect, test } from 'vitest'
import Headline from '../../examples/first/tactics/headline.ts'

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
