import { describe, expect, test } from 'vitest'
import {
  type IdempotencyStore,
  type KeptAnswer,
  type KeyedRequest,
  keyKeptMs,
  keyLeaseMs,
} from '../../src/domain/idempotency-store.ts'

export interface OpenKeys {
  readonly store: IdempotencyStore
  /** Lets time pass. */
  pass(durationMs: number): Promise<void>
}

export interface SharedKeys extends Omit<OpenKeys, 'store'> {
  /** Two processes that use one storage. */
  readonly stores: readonly [IdempotencyStore, IdempotencyStore]
}

const call = (workId: string, more: Partial<KeyedRequest> = {}): KeyedRequest => ({
  keyHash: 'a'.repeat(64),
  fingerprint: 'f'.repeat(64),
  workId,
  joins: false,
  ...more,
})
const submission = (workId: string): KeyedRequest => call(workId, { joins: true })
const useOf = ({ keyHash, workId }: KeyedRequest) => ({ keyHash, workId })

const answer: KeptAnswer = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: '{"result":"\\ud800 \\u0000 é 🙂"}',
}
const later: KeptAnswer = { status: 500, headers: {}, body: '' }

const begun = (workId: string) => ({ kind: 'begun', workId })
const joined = (workId: string) => ({ kind: 'joined', workId })
const underWay = { kind: 'under-way' }
const mismatch = { kind: 'mismatch' }
const answered = { kind: 'answered', answer }

/** What every store of keys does, wherever it keeps them. */
export function idempotencyStoreContract(name: string, open: () => Promise<OpenKeys>) {
  describe(`${name}: a key`, () => {
    test('is taken by its first use, and held until that has its answer', async () => {
      const { store } = await open()
      expect(await store.claim(call('1'))).toEqual(begun('1'))
      expect(await store.claim(call('2'))).toEqual(underWay)
      await store.complete(useOf(call('1')), answer)
      expect(await store.claim(call('3'))).toEqual(answered)
    })

    test('that the same use asks for twice is begun by it: an answer may have got lost', async () => {
      const { store } = await open()
      await store.claim(call('1'))
      expect(await store.claim(call('1'))).toEqual(begun('1'))
      await store.release(useOf(call('1')))
      expect(await store.claim(call('2'))).toEqual(begun('2'))
    })

    test('of another use does not fit, whether that has its answer or not', async () => {
      const { store } = await open()
      const other = call('2', { fingerprint: '0'.repeat(64) })
      await store.claim(call('1'))
      expect(await store.claim(other)).toEqual(mismatch)
      await store.complete(useOf(call('1')), answer)
      expect(await store.claim(other)).toEqual(mismatch)
    })

    test('is nothing to another key', async () => {
      const { store } = await open()
      await store.claim(call('1'))
      const other = call('2', { keyHash: 'b'.repeat(64) })
      expect(await store.claim(other)).toEqual(begun('2'))
      await store.release(useOf(other))
      expect(await store.claim(call('3'))).toEqual(underWay)
    })

    test('is free for anything once it was let go of', async () => {
      const { store } = await open()
      await store.claim(call('1'))
      await store.release(useOf(call('1')))
      expect(await store.claim(call('2', { fingerprint: '0'.repeat(64) }))).toEqual(begun('2'))
    })

    test('keeps its first answer, and is not let go of any more', async () => {
      const { store } = await open()
      await store.claim(call('1'))
      await store.complete(useOf(call('1')), answer)
      await store.complete(useOf(call('1')), later)
      await store.release(useOf(call('1')))
      expect(await store.claim(call('2'))).toEqual(answered)
    })

    test('is not settled by a use that does not have it', async () => {
      const { store } = await open()
      await store.complete(useOf(call('0')), answer)
      await store.claim(call('1'))
      await store.complete(useOf(call('2')), answer)
      await store.release(useOf(call('2')))
      expect(await store.claim(call('3'))).toEqual(underWay)
    })

    test('is begun by exactly one of many who ask at once', async () => {
      const { store } = await open()
      const claims = await Promise.all(Array.from({ length: 40 }, (_, index) => store.claim(call(String(index)))))
      expect(claims.filter(({ kind }) => kind === 'begun')).toHaveLength(1)
      expect(claims.filter(({ kind }) => kind === 'under-way')).toHaveLength(39)
    })
  })

  describe(`${name}: a key of work that outlives its request`, () => {
    test('is joined by all who repeat the request, under the id of the first', async () => {
      const { store } = await open()
      const asked = Array.from({ length: 40 }, (_, index) => store.claim(submission(String(index))))
      const claims = await Promise.all(asked)
      const first = claims.find(({ kind }) => kind === 'begun')
      expect(first).toBeDefined()
      expect(claims.filter(({ kind }) => kind === 'joined')).toHaveLength(39)
      expect(new Set(claims.map((claim) => 'workId' in claim && claim.workId)).size).toBe(1)
    })

    test('keeps the first answer of those who have joined', async () => {
      const { store } = await open()
      await store.claim(submission('1'))
      await store.claim(submission('2'))
      await store.complete(useOf(call('1')), answer)
      await store.complete(useOf(call('1')), later)
      expect(await store.claim(submission('3'))).toEqual(answered)
    })

    test('is free when all who have joined have let go of it, and not before', async () => {
      const { store } = await open()
      await store.claim(submission('1'))
      await store.claim(submission('2'))
      await store.release(useOf(call('1')))
      expect(await store.claim(submission('3'))).toEqual(joined('1'))
      await store.release(useOf(call('1')))
      await store.release(useOf(call('1')))
      expect(await store.claim(submission('4'))).toEqual(begun('4'))
    })

    test('is held for as long as keys are kept, however long nothing is heard of its process', async () => {
      const { store, pass } = await open()
      await store.claim(submission('1'))
      await pass(keyKeptMs - 60_000)
      expect(await store.claim(submission('2'))).toEqual(joined('1'))
    })
  })

  describe(`${name}: the time of a key`, () => {
    test('is over a day after its answer', async () => {
      const { store, pass } = await open()
      await store.claim(call('1'))
      await pass(60_000)
      await store.beat()
      await store.complete(useOf(call('1')), answer)
      await pass(keyKeptMs - 60_000)
      expect(await store.claim(call('2'))).toEqual(answered)
      await pass(120_000)
      expect(await store.claim(call('3', { fingerprint: '0'.repeat(64) }))).toEqual(begun('3'))
      // Nothing is left of what it had been.
      expect(await store.claim(call('4', { fingerprint: '0'.repeat(64) }))).toEqual(underWay)
    })

    test('being over, the key is removed, some at a time; others stay', async () => {
      const { store, pass } = await open()
      const old = Array.from({ length: 5 }, (_, index) => call(String(index), { keyHash: String(index).repeat(64) }))
      for (const request of old) await store.claim(request)
      await pass(keyKeptMs + 1_000)
      await store.claim(call('new'))
      expect(await store.forget(3)).toBe(3)
      expect(await store.forget(3)).toBe(2)
      expect(await store.forget(3)).toBe(0)
      expect(await store.claim(call('newer'))).toEqual(underWay)
    })
  })
}

/** What they do beyond that where several processes share the storage. */
export function sharedIdempotencyStoreContract(name: string, open: () => Promise<SharedKeys>) {
  describe(`${name}: a key that two processes ask for`, () => {
    test('is begun by one of them, and its answer given by both', async () => {
      const { stores } = await open()
      const claims = await Promise.all(
        Array.from({ length: 40 }, (_, index) => stores[index % 2 === 0 ? 0 : 1].claim(call(String(index)))),
      )
      const [first, ...others] = claims.filter(({ kind }) => kind === 'begun')
      expect(others).toEqual([])
      if (first?.kind !== 'begun') throw new Error('Nobody began.')
      await stores[0].complete({ keyHash: call('').keyHash, workId: first.workId }, answer)
      expect(await stores[1].claim(call('x'))).toEqual(answered)
    })

    test('is held for as long as its process is heard of', async () => {
      const { stores, pass } = await open()
      await stores[0].claim(call('1'))
      await pass(keyLeaseMs * 0.7)
      await stores[0].beat()
      await pass(keyLeaseMs * 0.7)
      await stores[1].beat()
      expect(await stores[1].claim(call('2'))).toEqual(underWay)
    })

    test('goes over to the other one when its process is silent, whose answer comes too late then', async () => {
      const { stores, pass } = await open()
      await stores[0].claim(call('1'))
      await pass(keyLeaseMs * 1.1)
      const claims = await Promise.all(['2', '3', '4'].map((workId) => stores[1].claim(call(workId))))
      expect(claims.map(({ kind }) => kind).sort()).toEqual(['begun', 'under-way', 'under-way'])
      await stores[0].beat()
      await stores[0].complete(useOf(call('1')), later)
      await stores[0].release(useOf(call('1')))
      expect(await stores[1].claim(call('5'))).toEqual(underWay)
    })

    test('of work that outlives its request is joined, also when the process of the first is silent', async () => {
      const { stores, pass } = await open()
      await stores[0].claim(submission('1'))
      await pass(keyLeaseMs * 1.1)
      expect(await stores[1].claim(submission('2'))).toEqual(joined('1'))
    })

    test('is removed once, when both remove what is over', async () => {
      const { stores, pass } = await open()
      for (let index = 0; index < 9; index++) await stores[0].claim(call('1', { keyHash: String(index).repeat(64) }))
      await pass(keyKeptMs + 1_000)
      const counts = await Promise.all(
        Array.from({ length: 6 }, (_, index) => stores[index % 2 === 0 ? 0 : 1].forget(3)),
      )
      const rest = (await stores[0].forget(100)) + counts.reduce((sum, count) => sum + count, 0)
      expect(rest).toBe(9)
    })
  })
}
