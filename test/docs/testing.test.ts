import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from './markdown.ts'

test('the tests of docs/testing.md pass under the test runner of Node', async () => {
  // In a project that has lllm installed, Node finds it without this.
  const linked = `import { linkLllm } from '${new URL('src/packages/link-lllm.ts', root)}'
linkLllm('${new URL('src/index.ts', root)}')`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      `--import=data:text/javascript,${encodeURIComponent(linked)}`,
      '--test',
      '--test-isolation=none',
      '--test-reporter=tap',
      fileURLToPath(new URL('examples/testing/testing.test.ts', root)),
    ],
    // The runner of this test is not to be taken for that of Node.
    { env: { PATH: process.env['PATH'] } },
  ).catch((error: { readonly stdout: string }) => error)
  expect(stdout).toMatch(/^# fail 0$/m)
  expect(stdout).toMatch(/^# pass 7$/m)
})
