import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LllmError } from '../../src/domain/errors.ts'
import { compileTemplate } from '../../src/domain/template.ts'

const render = (source: string, args = {}) => compileTemplate(source).render(args)

describe('a slot', () => {
  test('is filled with its value, wherever and however often it stands', () => {
    expect(render('{topic} in {count} words. {topic}!', { topic: 'Bees', count: 5 })).toBe('Bees in 5 words. Bees!')
  })

  test('is listed once, in order of appearance', () => {
    expect(compileTemplate('{b} {a} {b}').slots).toEqual(['b', 'a'])
  })

  test('is one identifier and nothing else', () => {
    for (const text of ['{}', '{ x }', '{1x}', '{a.b}', '{a b}', '{"a"}', '{a\n}', '{é}', `{${'x'.repeat(65)}}`]) {
      expect(compileTemplate(text).slots, text).toEqual([])
      expect(render(text), text).toBe(text)
    }
  })

  test('may be named like a member of every object', () => {
    expect(() => render('{constructor} {toString} {__proto__}')).toThrow(/constructor, toString, __proto__/)
    expect(render('{constructor}', { constructor: 'C' })).toBe('C')
  })

  test('without a value is an error that lists all of them, and what was given', () => {
    const message = 'The prompt needs a value for: a, c. Given: b, d.'
    const error = new LllmError('missing-variables', message, { known: ['a', 'b', 'c'] })
    expect(() => render('{a} {b} {c} {a}', { b: 1, d: 2 })).toThrow(error)
  })

  test('takes false, zero and the empty text as values', () => {
    expect(render('{a}|{b}|{c}', { a: false, b: 0, c: '' })).toBe('false|0|')
  })
})

describe('braces', () => {
  test.each([
    ['{{', '{'],
    ['}}', '}'],
    ['{{x}}', '{x}'],
    ['{{{x}}}', '{X}'],
    ['{{{{x}}}}', '{{x}}'],
    ['{{"a":{{"b":{x}}}}}', '{"a":{"b":X}}'],
    ['{', '{'],
    ['}', '}'],
    ['}{', '}{'],
    ['if (a) { b } else {{ c }}', 'if (a) { b } else { c }'],
    ['{"a":{"b":{x}}}', '{"a":{"b":X}}'],
    ['{"a":{"b":{"c":[{}]}}}', '{"a":{"b":{"c":[{}]}}}'],
  ])('%s is read as %s', (source, rendered) => {
    expect(render(source, { x: 'X' })).toBe(rendered)
  })
})

describe('whatever the text', () => {
  test('JSON stands for itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const json = JSON.stringify({ value }, null, indent)
        // Braces inside its strings may be slots, or out of balance; those outside never are.
        fc.pre(!/"[^"]*[{}][^"]*"/.test(json))
        expect(render(json)).toBe(json)
      }),
    )
  })

  test('a text with its braces doubled is rendered as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'a', '_', ' ', '\n', '"') }), (text) => {
        const template = compileTemplate(text.replaceAll('{', '{{').replaceAll('}', '}}'))
        expect(template.slots).toEqual([])
        expect(template.render()).toBe(text)
      }),
    )
  })

  test('a value is inserted once and never read as a template', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'a', 'b', '$', '&') }), fc.string(), (a, b) => {
        expect(render('<{a}|{b}|{a}>', { a, b })).toBe(`<${a}|${b}|${a}>`)
      }),
    )
  })

  test('nothing but braces is ever lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'x', ' ', '1') }), (text) => {
        const template = compileTemplate(text)
        const args = Object.fromEntries(template.slots.map((slot) => [slot, slot]))
        expect(template.render(args).replaceAll(/[{}]/g, '')).toBe(text.replaceAll(/[{}]/g, ''))
      }),
    )
  })
})
