import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendMessages, forkDialog, openDialog } from '../../src/domain/dialog.ts'
import type { Message } from '../../src/domain/message.ts'
import { conversation, partedResults } from './conversations.ts'

const dialogOf = (...messages: readonly Message[]) => appendMessages(openDialog('base', 'system'), ...messages)
const user = (content: string): Message => ({ role: 'user', content })

test('appending makes a new dialog and leaves the old one as it was', () => {
  const before = dialogOf(user('one'))
  const after = appendMessages(before, user('two'))
  expect([before.messages.length, after.messages.length]).toEqual([2, 3])
})

describe('a fork', () => {
  const dialog = dialogOf(...['one', 'two', 'three', 'four'].map(user))
  const contents = (options?: Parameters<typeof forkDialog>[2]) =>
    forkDialog(dialog, 'child', options).messages.map(({ content }) => content)

  test('copies everything unless told otherwise', () => {
    expect(contents()).toEqual(['system', 'one', 'two', 'three', 'four'])
    expect(contents({ firstK: 2 })).toHaveLength(5)
  })

  test('with lastN keeps the first K, by default the system message, and the last N', () => {
    expect(contents({ lastN: 1 })).toEqual(['system', 'four'])
    expect(contents({ lastN: 2, firstK: 2 })).toEqual(['system', 'one', 'three', 'four'])
    expect(contents({ lastN: 0 })).toEqual(['system'])
    expect(contents({ lastN: 9 })).toHaveLength(5)
  })

  test('remembers its parent and where it was split off', () => {
    expect(forkDialog(dialog, 'child', { lastN: 1 })).toMatchObject({
      alias: 'child',
      parent: { alias: 'base', splitPoint: 5 },
    })
  })

  test('never parts tool calls from their results', () => {
    fc.assert(
      fc.property(conversation, fc.nat(12), fc.nat(12), (messages, lastN, firstK) => {
        const fork = forkDialog(dialogOf(...messages), 'child', { lastN, firstK })
        expect(partedResults(fork.messages)).toEqual([])
      }),
    )
  })
})
