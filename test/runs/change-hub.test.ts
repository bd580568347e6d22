import { expect, test } from 'vitest'
import { openChangeHub } from '../../src/runs/change-hub.ts'
import { virtualClock } from '../support/virtual-clock.ts'

test('the more wait for a run, the more seldom each looks by itself, so that all together look 200 times a second', () => {
  const hub = openChangeHub({ watch: () => () => {} }, virtualClock().clock)
  const listeners = Array.from({ length: 200 }, (_, index) => hub.listen(`run:${index}`))
  expect(hub.lookAgainMs).toBe(1_000)
  const more = Array.from({ length: 9_800 }, () => hub.listen('run:same'))
  expect(hub.lookAgainMs).toBe(50_000)
  for (const listener of [...listeners, ...more]) listener.close()
  expect(hub.lookAgainMs).toBe(1_000)
})
