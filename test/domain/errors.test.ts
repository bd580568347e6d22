import { expect, test } from 'vitest'
import { errorCodes, isLllmError, LllmError, listKnown } from '../../src/domain/errors.ts'

test('an error has a code, plain data, and keeps its cause', () => {
  const cause = new Error('x')
  expect(new LllmError('draining', 'Later.', { retryAfterMs: 5 }, { cause })).toMatchObject({
    code: 'draining',
    message: 'Later.',
    data: { retryAfterMs: 5 },
    cause,
  })
})

test('an error of another copy of the module is known as one', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('lllm.error')]: true })
  expect(isLllmError(foreign)).toBe(true)
  for (const other of [new Error('x'), 'x', null, undefined]) expect(isLllmError(other)).toBe(false)
})

test('codes are kebab-case and are explained in a sentence', () => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(meaning).toMatch(/\.$/)
  }
})

test('what is known is listed, the likeliest first, and not without end', () => {
  expect(listKnown('reseacher', ['pipeline', 'researcher'])).toBe(
    'Did you mean "researcher"? Known: pipeline, researcher.',
  )
  expect(listKnown('x', [])).toBe('There are none.')
  const many = Array.from({ length: 30 }, (_, index) => `tactic-number-${index}`)
  expect(listKnown('else', many)).toMatch(/ and 10 more\.$/)
})
