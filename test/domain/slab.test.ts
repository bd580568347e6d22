import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Slab, type SlabEntry } from '../../src/domain/slab.ts'

test('has what was added until it is removed, however often that is said', () => {
  const slab = new Slab<string>()
  const [red, blue] = [slab.add('red'), slab.add('blue')]
  expect([...slab]).toEqual(['red', 'blue'])
  expect([slab.remove(red), slab.remove(red)]).toEqual([true, false])
  expect([[...slab], slab.size]).toEqual([['blue'], 1])
  expect([slab.at(blue.index)?.value, slab.at(99)]).toEqual(['blue', undefined])
})

test('an entry that was removed removes nothing of whatever came to its place', () => {
  const slab = new Slab<string>()
  const red = slab.add('red')
  const { index } = red
  slab.remove(red)
  expect(slab.add('blue').index).toBe(index)
  expect(slab.remove(red)).toBe(false)
  expect([...slab]).toEqual(['blue'])
})

test('takes entries of no other', () => {
  const [slab, other] = [new Slab<string>(), new Slab<string>()]
  slab.add('red')
  expect(slab.remove(other.add('red'))).toBe(false)
  expect(slab.size).toBe(1)
})

test('has the same things as a set, whatever comes and goes, and no more places than there ever were things', () => {
  const steps = fc.array(fc.oneof(fc.constant('add' as const), fc.nat({ max: 20 })), { maxLength: 200 })
  fc.assert(
    fc.property(steps, (all) => {
      const slab = new Slab<number>()
      const entries: SlabEntry<number>[] = []
      const there = new Set<number>()
      let most = 0
      for (const step of all) {
        if (step === 'add') {
          there.add(entries.length)
          entries.push(slab.add(entries.length))
        } else {
          const entry = entries[step]
          if (entry !== undefined) expect(slab.remove(entry)).toBe(there.delete(entry.value))
        }
        most = Math.max(most, there.size)
        expect(new Set(slab)).toEqual(there)
        expect(slab.size).toBe(there.size)
        for (const { index, value } of entries) {
          if (there.has(value)) expect(slab.at(index)?.value).toBe(value)
          expect(index).toBeLessThan(most)
        }
      }
    }),
  )
})

test('what is added or removed while it is looked through does no harm', () => {
  const slab = new Slab<number>()
  const entries = [1, 2, 3].map((value) => slab.add(value))
  const seen: number[] = []
  for (const value of slab) {
    seen.push(value)
    for (const entry of entries) slab.remove(entry)
    if (seen.length < 10) slab.add(value + 10)
  }
  expect(seen[0]).toBe(1)
  expect(seen.length).toBeLessThanOrEqual(11)
})
