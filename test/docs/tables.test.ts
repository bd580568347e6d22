import { describe, expect, test } from 'vitest'
import { type AgentConfig, resolveConfig } from '../../src/domain/config.ts'
import type { ErrorCode } from '../../src/domain/errors.ts'
import { makePackage } from '../../src/domain/package.ts'
import { problemKinds } from '../../src/http/problem.ts'
import { readText } from './markdown.ts'

/** The cells of a table whose header begins with these cells. */
function readTable(page: string, ...header: readonly string[]): readonly (readonly string[])[] {
  const lines = readText(page).split('\n')
  const start = lines.indexOf(`| ${header.join(' | ')} |`)
  const rows = lines.slice(start + 2)
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

function namesIn(cell = ''): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
}

test('the error codes of docs/authoring.md have the statuses that HTTP gives them', () => {
  const rows = readTable('docs/authoring.md', 'code', 'status', 'when')
  const told = rows.flatMap(([codes, status]) => namesIn(codes).map((code) => [code, Number(status)]))
  expect(told).toEqual(told.map(([code]) => [code, problemKinds[code as ErrorCode].status]))
  expect(told.length).toBeGreaterThan(9)
})

function agentOf(given: Readonly<Record<string, unknown>>): AgentConfig | undefined {
  const value = { agent_configs: [{ name: 'writer', ...given }] }
  return resolveConfig(
    { name: 'test', file: 'test.yaml', value },
    makePackage({ name: 'demo', version: '1.0.0' }),
  ).agents.get('writer')
}

describe('the keys of an agent in docs/configuration.md', () => {
  const rows = readTable('docs/configuration.md', 'key', 'default', 'range', 'what it is')
  const keys = rows.map(([key, byDefault = '', range = '']) => ({ key: namesIn(key)[0] ?? '', byDefault, range }))

  test('are all keys that are not taken for model_args', () => {
    const given = Object.keys(agentOf({}) ?? {}).filter((field) => field !== 'name')
    const fields = keys.map(({ key }) => key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()))
    expect(fields.toSorted()).toEqual(given.toSorted())
  })

  test.each(keys.filter(({ range }) => / to \d+$/.test(range)))(
    '$key goes from $range, by default $byDefault',
    (row) => {
      const { key, byDefault, range } = row
      const [min = 0, max = 0] = range.split(' to ').map(Number)
      const field = key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
      expect(agentOf({})).toMatchObject({ [field]: Number(byDefault) })
      for (const value of [min, max]) expect(agentOf({ [key]: value })).toMatchObject({ [field]: value })
      for (const value of [min - 1, max + 1]) expect(() => agentOf({ [key]: value })).toThrow(key)
    },
  )
})
