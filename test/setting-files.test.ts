import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runLllm } from './cli/support/test-shell.ts'
import { manifest, packageFolder } from './packages/package-folder.ts'

/** Each line ten times the line before it. */
const billion = Array.from({ length: 10 }, (_, level) => {
  const items = Array(10).fill(level === 0 ? 'lol' : `*a${level - 1}`)
  return `a${level}: &a${level} [${items.join(', ')}]`
}).join('\n')

async function refusalOf(variable: string, text: string, file?: string): Promise<string> {
  const folder = await packageFolder({ 'lllm.toml': manifest(), 'file.txt': text })
  const path = file ?? join(folder, 'file.txt')
  const { code, stderr } = await runLllm(['run', 'none', 'x'], { folder, env: { [variable]: path } })
  expect(code).toBeGreaterThan(0)
  // However much is wrong, what is told of it fits on a screen.
  expect(stderr.length).toBeLessThan(2000)
  return stderr.replaceAll(path, 'FILE')
}

const keys = Array.from({ length: 20_000 }, (_, index) => `k${index}: { a: 1 }`).join('\n')

describe.each(['LLLM_PRICES', 'LLLM_BUDGETS'])('the file of %s is refused with its name and the place', (variable) => {
  test.each([
    ['aliases by the billion', billion, 'FILE: It cannot be read as YAML: Excessive alias count'],
    ['__proto__', '__proto__: { a: 1 }', 'FILE:1:1: The key "__proto__" is not allowed'],
    ['nesting beyond the stack', '['.repeat(50_000), 'it nests too deeply'],
    ['no YAML', 'a: [1, 2', /FILE:1:\d+: /],
    ['a list', '- 1', 'FILE: It must be a mapping of keys to values.'],
    ['wrong types', 'budgets: 5', /FILE.*\/budgets: Invalid input/],
    ['thousands of unknown keys', keys, /FILE.*\/k0/],
    ['no text', '\0\0', 'FILE'],
  ])('%s', async (_case, text, told) => {
    expect(await refusalOf(variable, text)).toMatch(told)
  })
})

describe('the file of LLLM_MCP_CONFIG is refused with its name and the place', () => {
  test.each([
    ['no JSON', '{\n  "mcpServers": {,\n}', 'FILE:2:18: It is not JSON.'],
    ['no end', '{', /FILE(?::1:2)?: It is not JSON\./],
    ['__proto__', '{ "__proto__": {} }', 'FILE: '],
    ['nesting beyond the stack', '['.repeat(500_000), 'FILE: '],
    ['wrong types', '{ "mcpServers": 5 }', 'FILE: /mcpServers: Invalid input: expected record, received number.'],
    [
      'thousands of unknown keys',
      JSON.stringify({
        mcpServers: {},
        ...Object.fromEntries(Array.from({ length: 9999 }, (_, key) => [`k${key}`, 1])),
      }),
      'FILE: It: Unrecognized key: "k0".',
    ],
  ])('%s', async (_case, text, told) => {
    expect(await refusalOf('LLLM_MCP_CONFIG', text)).toMatch(told)
  })
})

describe.each(['LLLM_PRICES', 'LLLM_BUDGETS', 'LLLM_MCP_CONFIG'])('of the file of %s', (variable) => {
  test('no more is read than it may have, though a device tells no size', async () => {
    expect(await refusalOf(variable, '', '/dev/zero')).toContain(
      `${variable}: the file FILE has more than 1048576 bytes, which is too much.`,
    )
  })

  test('50 MB are not read', async () => {
    const folder = await packageFolder({ large: '' })
    await appendFile(join(folder, 'large'), Buffer.alloc(50_000_000, 'a: 1\n'))
    expect(await refusalOf(variable, '', join(folder, 'large'))).toContain('has more than 1048576 bytes')
  })

  test('why it cannot be read is told', async () => {
    expect(await refusalOf(variable, '', '/no/such/file')).toContain('the file FILE cannot be read: ENOENT')
    expect(await refusalOf(variable, '', '/')).toContain('cannot be read: EISDIR')
  })

  test('that it is not UTF-8 is told', async () => {
    const folder = await packageFolder({ latin: new Uint8Array([0x61, 0xff]) })
    expect(await refusalOf(variable, '', join(folder, 'latin'))).toContain('is not UTF-8 text')
  })
})
