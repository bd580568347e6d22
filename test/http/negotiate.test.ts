import { describe, expect, test } from 'vitest'
import { preferredType } from '../../src/http/negotiate.ts'

const types = ['application/json', 'text/csv']

describe('of JSON and CSV', () => {
  test.each([
    ['no header', undefined, 'application/json'],
    ['an empty one', ' ', 'application/json'],
    ['anything', '*/*', 'application/json'],
    ['one of them', 'text/csv', 'text/csv'],
    ['one of them, in capitals', 'Text/CSV', 'text/csv'],
    ['a kind', 'text/*', 'text/csv'],
    ['both, by order', 'text/csv, application/json', 'text/csv'],
    ['both, by quality', 'text/csv;q=0.4, application/json;q=0.5', 'application/json'],
    ['one closely, and anything', '*/*, text/csv', 'text/csv'],
    ['a kind without one of it', 'text/csv;q=0, text/*, application/*;q=0.1', 'application/json'],
    ['a type with parameters', 'text/csv;header=present;q=0.9', 'text/csv'],
    ['what a browser sends', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json'],
    ['neither', 'text/html, image/*', undefined],
    ['neither, by quality', '*/*;q=0', undefined],
    ['a quality that is none', 'text/csv;q=high, application/json;q=2', undefined],
    ['nonsense', ',;/,text,*', undefined],
  ])('a header with %s prefers what it should', (_what, accept, expected) => {
    expect(preferredType(accept, types)).toBe(expected)
  })
})

test('the longest header that Node takes is read in no time', () => {
  const startedAtMs = performance.now()
  expect(preferredType('a/*;q=0.1;'.repeat(800) + ',text/x'.repeat(1_000), types)).toBeUndefined()
  expect(performance.now() - startedAtMs).toBeLessThan(100)
})
