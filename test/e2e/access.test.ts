import { expect, test } from 'vitest'
import type { Scope } from '../../src/domain/caller.ts'
import { databaseFiles } from '../support/database-files.ts'
import { makeKeys } from './support/keys.ts'
import { startService } from './support/service.ts'

const { newPath } = databaseFiles()

interface Operation {
  readonly operationId: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly requestBody?: {
    readonly content: Readonly<
      Record<string, { readonly examples?: Readonly<Record<string, { readonly value: unknown }>> }>
    >
  }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** Scopes that are not enough for what takes one of them. */
const others: readonly (readonly Scope[])[] = [['sessions:read'], ['costs:read'], ['tactics:another:call']]
const everything: readonly Scope[] = ['admin']
/** What is about all tenants together, and so is for the operator alone. */
const operatorsOnly = ['/metrics']

/**
 * Every route of the document, with every kind of key. What a route takes is read from the document, and requests are made from it, so that
 * a route which is new is asked as well; one that forgets to say what it takes is for admins, and says so there.
 */
test('every route answers every kind of key as it should, and nobody with what is another tenant’s', async () => {
  const database = newPath()
  const keys = await makeKeys(database, {
    right: { scopes: everything },
    other: { tenant: 'globex', scopes: everything },
    operator: { tenant: 'default', scopes: everything },
    expired: { scopes: everything, expiresAtMs: 1 },
    revoked: { scopes: everything, revokedAtMs: 1 },
    sessions: { scopes: others[0] ?? [] },
    costs: { scopes: others[1] ?? [] },
    another: { scopes: others[2] ?? [] },
  })
  const { url } = await startService({ database, env: { LLLM_TRUST_PROXY: 'loopback' } })
  const wrong = `${keys.right.slice(0, -4)}AAAA`

  let clients = 0
  const ask = (method: string, path: string, key: string | undefined, body?: unknown) =>
    fetch(url + path, {
      method: method.toUpperCase(),
      headers: {
        // Each request comes from another address: one whose keys are refused so often would be asked to wait.
        'x-forwarded-for': `10.${clients++ >> 8}.${clients & 255}.1`,
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    })
  const made = async (path: string, body: unknown) => {
    const answer = await ask('post', path, keys.right, body)
    expect(answer.status).toBeLessThan(300)
    return String(((await answer.json()) as { id?: string }).id)
  }

  /** Something of the right tenant for an operation to be about. */
  async function pathFor(path: string): Promise<string> {
    const idOf: Readonly<Record<string, () => Promise<string>>> = {
      sessions: () => endedRun(),
      runs: () => endedRun(),
      batches: () => made('/tactics/summarizer/batches', { tasks: ['bees'] }),
    }
    const [, family = ''] = path.split('/')
    const id = path.includes('{id}') ? await idOf[family]?.() : ''
    const filled = path
      .replace('{id}', String(id))
      .replace('{delivery_id}', 'none')
      .replace('{name}', 'summarizer')
      .replace('{code}', 'forbidden')
    expect(filled).not.toMatch(/[{}]|undefined/)
    return filled
  }
  async function endedRun(): Promise<string> {
    const id = await made('/tactics/summarizer/runs', { task: 'bees' })
    expect((await ask('get', `/runs/${id}/wait`, keys.right)).status).toBe(200)
    return id
  }

  const { paths } = (await (await ask('get', '/openapi.json', undefined)).json()) as Document
  const told: string[] = []
  let asked = 0
  for (const [template, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const content = operation.requestBody?.content['application/json']
      const example = Object.values(content?.examples ?? {})[0]?.value
      const body = content === undefined ? undefined : (example ?? {})
      const path = await pathFor(template)
      const statusWith = async (key: string | undefined, at = path) => {
        asked += 1
        const answer = await ask(method, at, key, body)
        const isProblem = answer.headers.get('content-type')?.startsWith('application/problem+json') === true
        await answer.body?.cancel()
        if (answer.status >= 400 && !isProblem) told.push(`${method} ${at}: ${answer.status} is no problem+json`)
        if (answer.status === 401 && answer.headers.get('www-authenticate') !== 'Bearer')
          told.push(`${at}: no challenge`)
        return answer.status
      }
      const expectStatus = (status: number, wanted: (status: number) => boolean, what: string) => {
        if (!wanted(status)) told.push(`${method} ${template} with ${what}: ${status}`)
      }
      const isFine = (status: number) => status < 400
      const scopes = operation.security?.[0]?.['key']
      const isPublic = scopes === undefined

      for (const [what, key] of Object.entries({
        'no key': undefined,
        'a wrong key': wrong,
        ...pick(keys, 'expired', 'revoked'),
      })) {
        expectStatus(await statusWith(key), isPublic ? isFine : (status) => status === 401, what)
      }
      for (const [index, key] of [keys.sessions, keys.costs, keys.another].entries()) {
        const has = others[index] ?? []
        const wantsSome = scopes?.[0] === 'tactics:<name>:call' && has.some((scope) => scope.startsWith('tactics:'))
        const isEnough = isPublic || scopes.length === 0 || scopes.some((scope) => has.includes(scope as Scope))
        if (isEnough && method === 'get') expectStatus(await statusWith(key), isFine, `the scopes ${has}`)
        // It may call some tactic, so the route has to look which one it is about.
        else if (!isEnough)
          expectStatus(
            await statusWith(key),
            (status) => status === 403,
            `the scopes ${has}${wantsSome ? ' of another tactic' : ''}`,
          )
      }
      if (operatorsOnly.includes(template)) {
        for (const key of [keys.other, keys.right])
          expectStatus(await statusWith(key), (status) => status === 403, 'admin')
        expectStatus(await statusWith(keys.operator), isFine, 'the key of the operator')
        continue
      }
      if (template.includes('{id}')) {
        expectStatus(await statusWith(keys.other), (status) => status === 404, 'a key of another tenant')
      } else {
        expectStatus(await statusWith(keys.other), isFine, 'a key of another tenant')
      }
      // A run that has succeeded cannot be cancelled or resumed; a delivery that is not there, not be made again.
      const conflicts = /\/(cancel|resume|redeliver)$/.test(template) && template.startsWith('/runs')
      expectStatus(
        await statusWith(keys.right),
        conflicts ? (status) => status === 409 || status === 404 : isFine,
        'the right key',
      )
    }
  }
  expect(told).toEqual([])
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const taking = (isSo: (scopes: readonly string[] | undefined) => boolean) =>
    operations.flatMap(({ operationId, security }) => (isSo(security?.[0]?.['key']) ? [operationId] : [])).sort()
  // Whoever adds a route that takes less than a scope has to say so here.
  expect(taking((scopes) => scopes === undefined)).toEqual(['getErrorPage', 'getHealth', 'getOpenApi', 'getReadiness'])
  expect(taking((scopes) => scopes?.length === 0)).toEqual(['getInfo', 'getTactic', 'listTactics'])
  expect(asked).toBeGreaterThan(300)
})

function pick<Key extends string>(all: Readonly<Record<Key, string>>, ...names: readonly Key[]) {
  return Object.fromEntries(names.map((name) => [name, all[name]]))
}
