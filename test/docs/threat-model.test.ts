import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readText, root } from './markdown.ts'

const page = readText('docs/threat-model.md')
const rows = page.split('\n').filter((line) => /^\| .+ \| .+ \| .*`(?:test|scripts)\//.test(line))

interface Proof {
  readonly path: string
  readonly names: readonly string[]
}

/** The proofs of a row: files, each with names of its tests. */
function readProofs(row: string): readonly Proof[] {
  const cell = row.split(' | ').at(-1) ?? ''
  return [...cell.matchAll(/`((?:test|scripts)\/[^`]+)`((?:,? ?“[^”]+”)*)/g)].map(([, path = '', names = '']) => {
    return { path, names: [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name) }
  })
}

test('every threat has an answer and a proof', () => {
  const threats = page.split('\n## ').find((section) => section.startsWith('Threats')) ?? ''
  const lines = threats.split('\n').filter((line) => /^\| [^-]/.test(line) && !line.startsWith('| threat |'))
  expect(lines).toEqual(rows)
  expect(rows.length).toBeGreaterThan(20)
})

test.each(rows.map((row) => [row.slice(2).split(' | ')[0] ?? '', readProofs(row)] as const))(
  'the tests are there that prove what is said of: %s',
  (_, proofs) => {
    expect(proofs.length).toBeGreaterThan(0)
    for (const { path, names } of proofs) {
      expect(existsSync(new URL(path, root)), path).toBe(true)
      expect(path.startsWith('scripts/') || names.length > 0, path).toBe(true)
      for (const name of names) expect(readText(path)).toContain(name)
    }
  },
)
