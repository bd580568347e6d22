import fc from 'fast-check'
import { expect, test } from 'vitest'
import { databaseFiles } from '../support/database-files.ts'
import { makeKeys } from './support/keys.ts'
import { startService } from './support/service.ts'

const { newPath } = databaseFiles()
const tenants = ['acme', 'globex', 'default'] as const
type Tenant = (typeof tenants)[number]

/** What somebody does: the same texts, tags and idempotency keys for all, so that only the tenant tells them apart. */
const deeds = ['call', 'batch', 'run', 'batches'] as const
const deed = fc.record({
  tenant: fc.constantFrom(...tenants),
  kind: fc.constantFrom(...deeds),
  tag: fc.constantFrom('red', 'blue'),
  key: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined }),
})

interface Listed {
  readonly data: readonly { readonly id: string }[]
}

test('no list, report or id shows anything of another tenant, whatever everybody does', async () => {
  const database = newPath()
  const admin = { scopes: ['admin'] } as const
  const keys = await makeKeys<Tenant>(database, {
    acme: { ...admin, tenant: 'acme' },
    globex: { ...admin, tenant: 'globex' },
    default: { ...admin, tenant: 'default' },
  })
  const { url } = await startService({ database })
  const own: Readonly<Record<Tenant, Set<string>>> = { acme: new Set(), globex: new Set(), default: new Set() }

  async function ask<Answer>(tenant: Tenant, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${keys[tenant]}`, 'content-type': 'application/json', ...init.headers }
    return (await (await fetch(url + path, { ...init, headers })).json()) as Answer
  }

  async function doIt({ tenant, kind, tag, key }: Readonly<Record<string, string | undefined>> & { tenant: Tenant }) {
    const tags = { team: tag }
    const many = kind === 'batch' || kind === 'batches'
    const suffix = { call: '', batch: '/batch', run: '/runs', batches: '/batches' }[kind as (typeof deeds)[number]]
    const given = many ? { tasks: ['bees', 'wasps'], tags } : { task: 'bees', tags }
    const answer = await ask<Record<string, unknown>>(tenant, `/tactics/summarizer${suffix}`, {
      method: 'POST',
      body: JSON.stringify({ ...given, ...(kind === 'call' ? { return_session: 'summary' } : {}) }),
      ...(key === undefined ? {} : { headers: { 'idempotency-key': `${key}-${kind}-${tag}` } }),
    })
    for (const id of JSON.stringify(answer).match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g) ?? []) own[tenant].add(id)
  }

  const paths = [
    '/sessions',
    '/runs',
    '/batches',
    '/sessions?tag.team=red',
    '/runs?tag.team=blue',
    '/runs?tactic=summarizer',
  ]
  async function expectNothingLeaks() {
    for (const tenant of tenants) {
      const foreign = tenants.filter((other) => other !== tenant).flatMap((other) => [...own[other]])
      for (const path of paths) {
        const { data } = await ask<Listed>(tenant, `${path}${path.includes('?') ? '&' : '?'}limit=200`)
        expect(data.filter(({ id }) => foreign.includes(id))).toEqual([])
      }
      // Runs may end between the one question and the other.
      const countSessions = async () => (await ask<Listed>(tenant, '/sessions?limit=200')).data.length
      const before = await countSessions()
      const { total } = await ask<{ total: { sessions: number } }>(tenant, '/costs?group_by=tactic')
      const after = await countSessions()
      expect(total.sessions).toBeGreaterThanOrEqual(before)
      expect(total.sessions).toBeLessThanOrEqual(after)
      for (const id of foreign.slice(-6)) {
        for (const path of [
          `/sessions/${id}`,
          `/sessions/${id}/cost`,
          `/runs/${id}`,
          `/runs/${id}/events`,
          `/batches/${id}`,
        ]) {
          expect(await ask(tenant, path)).toMatchObject({ status: 404 })
        }
        for (const path of [`/runs/${id}/cancel`, `/runs/${id}/resume`, `/batches/${id}/cancel`]) {
          expect(await ask(tenant, path, { method: 'POST', body: '{}' })).toMatchObject({ status: 404 })
        }
      }
    }
  }

  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 3, maxLength: 8 }), async (all) => {
      await Promise.all(all.map(doIt))
      await expectNothingLeaks()
    }),
    // Whatever chance brings, everybody has done the same at least once.
    { numRuns: 5, examples: [[tenants.map((tenant) => ({ tenant, kind: 'call', tag: 'red', key: 'k1' }) as const)]] },
  )
  // Two with the same idempotency key did not share an answer: nobody has an id of somebody else.
  const [acme, globex, operator] = tenants.map((tenant) => own[tenant])
  for (const ids of [acme, globex, operator]) expect(ids?.size).toBeGreaterThan(0)
  expect([acme?.intersection(globex ?? new Set()).size, acme?.intersection(operator ?? new Set()).size]).toEqual([0, 0])
})
