import { describe, expect, test } from 'vitest'
import type { Scope } from '../../src/domain/caller.ts'
import { farAway } from './run-client.ts'
import { openService } from './service.ts'

/** A service with a tactic `shout` in two packages, whose keys say what they are for. */
async function open() {
  const { server } = await openService({
    isLoud: true,
    authenticator: {
      isOpen: async () => false,
      authenticate: async (credential) => {
        const scopes = Buffer.from(credential, 'base64url').toString().split(' ') as Scope[]
        return { tenant: 'acme', keyId: 'key', scopes, limits: {} }
      },
    },
  })
  return async (method: 'GET' | 'POST', url: string, scopes: string, payload?: object) => {
    const headers = { authorization: `Bearer ${Buffer.from(scopes).toString('base64url')}` }
    const answer = await server.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }
}

const task = { task: 'hello' }
const waiting = { task: 'hello', run_at: farAway }

describe('the scope of a bare name', () => {
  test('is for the tactic that the name finds, and for no other one of this name', async () => {
    const ask = await open()
    expect(await ask('POST', '/tactics/shout', 'tactics:shout:call', task)).toMatchObject({ status: 200 })
    expect(await ask('POST', '/tactics/demo::shout', 'tactics:shout:call', task)).toMatchObject({ status: 200 })
    expect(await ask('POST', '/tactics/loud::shout', 'tactics:shout:call', task)).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringContaining('tactics:loud::shout:call') },
    })
    for (const scope of ['tactics:loud::shout:call', 'tactics:*:call']) {
      expect(await ask('POST', '/tactics/loud::shout', scope, task)).toMatchObject({ status: 200 })
    }
  })

  test('is for the runs and batches of that one only', async () => {
    const ask = await open()
    const idOf = async (path: string, body: object) => (await ask('POST', path, 'admin', body)).body.id as string
    for (const [name, status] of [
      ['shout', 202],
      ['loud::shout', 403],
    ] as const) {
      const run = await idOf(`/tactics/${name}/runs`, waiting)
      const batch = await idOf(`/tactics/${name}/batches`, { tasks: ['hello'], run_at: farAway })
      expect(await ask('POST', `/runs/${run}/cancel`, 'tactics:shout:call')).toMatchObject({ status })
      expect(await ask('POST', `/batches/${batch}/cancel`, 'tactics:shout:call')).toMatchObject({ status })
    }
  })
})

describe('a tactic that a key may not call', () => {
  test('is told without its agents, which the others are told with', async () => {
    const ask = await open()
    const { body } = await ask('GET', '/tactics', 'tactics:shout:call costs:read')
    const agents = Object.fromEntries(
      body.data.map((one: { id: string; agents: readonly object[] }) => [one.id, one.agents]),
    )
    expect(agents).toMatchObject({
      'demo::shout': [{ name: 'shouter', model: 'test-model' }],
      'demo::count-nodes': [],
      'loud::shout': [],
    })
    expect((await ask('GET', '/tactics/count-nodes', 'tactics:shout:call')).body).toMatchObject({ agents: [] })
    expect((await ask('GET', '/tactics/count-nodes', 'admin')).body.agents).toHaveLength(1)
  })
})
