import { describe, expect, test } from 'vitest'
import { cutTo, displayWidth, harmless, harmlessLines, inOneLine } from '../../src/cli/display-text.ts'
import { tellCost, tellDuration, tellUsd } from '../../src/cli/look/figures.ts'
import { writeTable } from '../../src/cli/look/table.ts'
import { CollectedOutput } from './support/test-shell.ts'

describe('a text from outside', () => {
  test.each([
    ['a line break', 'a\nb\r\tc', 'a\\nb\\r\\tc'],
    ['an escape sequence', '\u001b[2J\u009b31m', '\\u001b[2J\\u009b31m'],
    ['a change of direction', 'a\u202eb\u2066', 'a\\u202eb\\u2066'],
    ['half of a character', 'a\ud83d', 'a\\ud83d'],
    ['what is harmless', 'Füße, 蜂, 👩‍🚀, "{}" \\', 'Füße, 蜂, 👩‍🚀, "{}" \\'],
  ])('has nothing in it that a terminal obeys: %s', (_name, text, expected) => {
    expect(harmless(text)).toBe(expected)
  })

  test('may keep its lines', () => {
    expect(harmlessLines('a\nb\u0007')).toBe('a\nb\\u0007')
  })

  test.each([
    ['ascii', 5],
    ['Füße', 4],
    ['蜂蜜', 4],
    ['🐝', 2],
    ['👩‍🚀', 2],
    ['e\u0301', 1],
  ])('%s takes %i columns', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })

  test.each([
    ['bees', 4, 'bees'],
    ['bees', 3, 'be…'],
    ['bees', 1, '…'],
    ['bees', 0, ''],
    ['蜂蜜蜂', 4, '蜂…'],
    ['👩‍🚀👩‍🚀', 3, '👩‍🚀…'],
  ])('%s cut to %i columns is %s', (text, columns, expected) => {
    expect(cutTo(text, columns)).toBe(expected)
    expect(displayWidth(cutTo(text, columns))).toBeLessThanOrEqual(columns)
  })

  test('of megabytes is cut at once', () => {
    const startMs = performance.now()
    expect(cutTo('蜂'.repeat(4_000_000), 80)).toHaveLength(40)
    expect(inOneLine('\u0000'.repeat(4_000_000)).length).toBeLessThan(30_000)
    expect(performance.now() - startMs).toBeLessThan(500)
  })
})

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [1_000, '1.0 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min 0 s'],
  [125_000, '2 min 5 s'],
  [3_599_600, '1 h 0 min'],
])('%i ms is told as %s', (durationMs, told) => {
  expect(tellDuration(durationMs)).toBe(told)
})

test('money is never nothing because it is little, or because nobody knows it', () => {
  expect([0, 0.0035, 12.5, 1e-9].map(tellUsd)).toEqual(['$0.000000', '$0.003500', '$12.500000', '<$0.000001'])
  const cost = { promptPicoUsd: 1e9, completionPicoUsd: 2e9, pricedCalls: 1, unpricedCalls: 0 }
  expect(tellCost(cost)).toBe('$0.003000')
  expect(tellCost({ ...cost, unpricedCalls: 1 })).toBe('≥ $0.003000')
  expect(tellCost({ ...cost, pricedCalls: 0, unpricedCalls: 1 })).toBe('unpriced')
})

describe('a table', () => {
  const columns = [
    { title: 'NAME', canShrink: true },
    { title: 'COUNT', align: 'right' },
    { title: 'NOTE', canGo: true },
  ] as const
  const rows = [
    ['a name that is long', '7', 'first'],
    ['蜂', '10', 'second\n'],
  ]

  test('lines up what it has', async () => {
    const output = new CollectedOutput(false, 0)
    await writeTable(output, columns, rows)
    expect(output.text).toBe(
      'NAME                 COUNT  NOTE\na name that is long      7  first\n蜂                      10  second\\n\n',
    )
  })

  test.each([
    [60, 'a name that is long      7  first'],
    [30, 'a name that …      7  first'],
    [20, 'a name that …      7'],
    [5, 'a name …      7'],
  ])('fits a terminal of %i columns as far as it can', async (width, line) => {
    const output = new CollectedOutput(true, width)
    await writeTable(output, columns, rows)
    expect(output.text.split('\n')[1]).toBe(line)
  })
})
