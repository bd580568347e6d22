import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, isDeeperThan, jsonPointer } from '../../src/domain/json.ts'

test('equal values have one text, whatever the order of their keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      expect(canonicalJson(reversed)).toBe(canonicalJson(value))
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('different values have different texts', () => {
  expect(canonicalJson({ a: [1, 2] })).not.toBe(canonicalJson({ a: [2, 1] }))
  expect(canonicalJson(undefined)).not.toBe(canonicalJson(null))
})

test('a pointer escapes what would read as its own marks', () => {
  expect(jsonPointer(['a/b', 'c~d', 0])).toBe('/a~1b/c~0d/0')
  expect(jsonPointer([])).toBe('')
})

test('depth counts arrays and objects, and is not looked for further than asked', () => {
  expect(isDeeperThan('x', 0)).toBe(false)
  expect(isDeeperThan([], 0)).toBe(true)
  expect(isDeeperThan({ a: [1] }, 2)).toBe(false)
  expect(isDeeperThan({ a: [[1]] }, 2)).toBe(true)
  expect(isDeeperThan(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)), 100)).toBe(true)
})
