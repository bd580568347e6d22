import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { refuseOldNode } from '../../src/cli/node-version.ts'
import { projectFolder } from '../e2e/support/service.ts'

describe('a Node that is too old', () => {
  test.each(['18.20.1', '20.20.2', '24.10.99'])('%s is told how to go on', (version) => {
    expect(refuseOldNode(version, ['create', 'demo', '--directory', "it's here"])).toBe(
      `lllm needs Node 24.11 or newer, and this is ${version}. npm can bring one along: ` +
        `npx -p node@26 -p lllm lllm create demo --directory 'it'\\''s here'\n`,
    )
  })

  test.each(['24.11.0', '24.12.0', '26.0.0', '30.1.0', process.versions.node])('%s is not', (version) => {
    expect(refuseOldNode(version, [])).toBeUndefined()
  })

  test('is what the package says, too', () => {
    const { engines } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'))
    expect(refuseOldNode('1.0.0', [])).toContain(`needs Node ${engines.node.replace('>=', '')} or newer`)
  })

  test('comes as far as that: before it nothing is imported that not every Node has', () => {
    const entry = readFileSync(join(projectFolder, 'src/cli/lllm.ts'), 'utf8')
    expect(entry.match(/^import .*/gm)).toEqual([
      "import module from 'node:module'",
      "import { setImmediate } from 'node:timers/promises'",
      "import { refuseOldNode } from './node-version.ts'",
    ])
    expect(readFileSync(join(projectFolder, 'src/cli/node-version.ts'), 'utf8')).not.toMatch(/^import /m)
  })
})
