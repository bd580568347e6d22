import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packagesLoadedWith, readHouse, violationsOf } from './house-rules.ts'

const root = resolve(import.meta.dirname, '../..')

test('every file keeps to its floor, its length and the words that are its own', () => {
  const files = readHouse(root)
  expect(files.length).toBeGreaterThan(50)
  expect(files.flatMap(violationsOf)).toEqual([])
})

test('what speaks to a SQLite file is loaded in a thread of its own, and not beside the service', () => {
  const files = readHouse(root)
  expect(packagesLoadedWith('src/stores/sqlite-thread.ts', files)).toContain('kysely')
  expect(packagesLoadedWith('src/stores/open-session-store.ts', files)).not.toContain('kysely')
  expect(packagesLoadedWith('src/serve.ts', files)).not.toContain('kysely')
})

describe('a violation is noticed', () => {
  test.each([
    ['domain importing the engine', 'src/domain/cost.ts', "import { execute } from '../engine/execute.ts'"],
    ['domain importing Node', 'src/domain/cost.ts', "import { readFileSync } from 'node:fs'"],
    ['the engine importing an adapter', 'src/engine/execute.ts', "import { x } from '../stores/memory.ts'"],
    ['an adapter importing another', 'src/stores/memory.ts', "import type { X } from '../invokers/pricing.ts'"],
    ['an import that goes over several lines', 'src/stores/memory.ts', "import {\n  x,\n} from '../engine/execute.ts'"],
    ['a dynamic import', 'src/mcp/link.ts', "const later = await import('../engine/execute.ts')"],
    ['a route importing an adapter', 'routes/list.ts', "import { x } from '../src/stores/memory.ts'"],
    ['a floor importing a composition root', 'src/http/app.ts', "import { settings } from '../settings.ts'"],
    ['the client importing what browsers do not have', 'src/client/reply.ts', "import { z } from 'zod'"],
    [
      'an adapter importing the client',
      'src/stores/memory.ts',
      "import { createClient } from '../client/create-client.ts'",
    ],
    ['a tactic importing the engine', 'tactics/essay.ts', "import { x } from '../src/engine/execute.ts'"],
    ['a file outside of every floor', 'src/utils/text.ts', "import { x } from '../engine/execute.ts'"],
    ['a barrel', 'src/engine/index.ts', "export { execute } from './execute.ts'\nexport type { X } from './x.ts'\n"],
    ['a file that ran away', 'src/engine/big.ts', 'const line = 1\n'.repeat(201)],
    ['a provider by name', 'src/engine/ask.ts', "const base = 'https://api.openai.com'"],
    ['the environment', 'routes/list.ts', 'const { LLLM_PORT } = process.env'],
    ['the console', 'src/http/app.ts', "console.log('hello')"],
  ])('%s', (_case, path, text) => {
    expect(violationsOf({ path, text })).toHaveLength(1)
  })

  test.each([
    ['a neighbour', 'tactics/essay.ts', "import { Base } from './_base.ts'\nimport { Tactic } from 'lllm'"],
    ['a floor below', 'src/http/app.ts', "import { execute } from '../engine/execute.ts'"],
    ['anything, from a composition root', 'src/cli/serve.ts', "import { open } from '../stores/memory.ts'"],
    ['what only looks like an import', 'src/client/fault.ts', "export type FaultKind = 'network'"],
    ['Node, from an adapter', 'src/stores/memory.ts', "import { readFile } from 'node:fs/promises'"],
  ])('and nothing else is: %s', (_case, path, text) => {
    expect(violationsOf({ path, text })).toEqual([])
  })
})
