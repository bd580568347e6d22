import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json, says } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { providerKey, scripted, startService } from './support/service.ts'
import { spawnService } from './support/spawned-service.ts'

const essay = `import { Tactic } from 'lllm'
export default class Essay extends Tactic({ name: 'essay', agents: ['writer'] }) {
  async call(task: string) {
    return (await this.agents.writer.open('essay').receive(task).respond()).content
  }
}
`

/** Asks one agent after the other. */
const debate = `import { Tactic } from 'lllm'
export default class Debate extends Tactic({ name: 'debate', agents: ['ours', 'theirs'] }) {
  async call(task: string) {
    const { ours, theirs } = this.agents
    const thesis = (await ours.open('debate').receive(task).respond()).content
    return (await theirs.open('debate').receive(thesis).respond()).content
  }
}
`

const review = `import { Tactic } from 'lllm'
import { z } from 'zod'
const verdict = z.object({ good: z.boolean(), why: z.string() })
export default class Review extends Tactic({ name: 'review', agents: ['critic'], output: verdict }) {
  async call(task: string) {
    return await this.agents.critic.open('review').receive(task).respondAs(verdict)
  }
}
`

interface Listed {
  readonly data: readonly { readonly name: string }[]
}

describe('a tactic is served because its files are there', () => {
  test('one file and one config add a tactic at the next start, and removing them takes it away', async () => {
    const folder = await writePackage({})
    const names = async () => {
      const service = await startService({ folder })
      const { data } = (await service.get<Listed>('/tactics')).body
      const answer = await service.call('essay', 'bees')
      await service.close()
      return { names: data.map(({ name }) => name), status: answer.status }
    }
    expect(await names()).toEqual({ names: [], status: 404 })

    await writePackageFile(folder, 'tactics/essay.ts', essay)
    await writePackageFile(folder, 'configs/essay.yaml', config('essay', { writer: 'You write.' }))
    expect(await names()).toEqual({ names: ['essay'], status: 200 })

    await rm(join(folder, 'tactics'), { recursive: true })
    await rm(join(folder, 'configs'), { recursive: true })
    expect(await names()).toEqual({ names: [], status: 404 })
  })
})

/** The folders are made by {@link writePackage} only for the files that it is given. */
async function writePackageFile(folder: string, path: string, content: string) {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), content)
}

describe('an agent with a provider of its own', () => {
  async function startDebate(env: Readonly<Record<string, string>> = {}, systemRole = '') {
    const standard = await scripted(() => says('thesis'))
    const other = await scripted(() => says('antithesis'))
    const folder = await writePackage({
      'tactics/debate.ts': debate,
      'configs/debate.yaml': `global: { model_name: gpt-4o }
invokers:
  my-server: { base_url: '${other.url}'${systemRole} }
agent_configs:
  - { name: ours, system_prompt: You propose. }
  - { name: theirs, system_prompt: You oppose., invoker: my-server, model_name: qwen3-32b }
`,
    })
    const service = await startService({ folder, provider: standard, env })
    return { service, standard, other }
  }

  test('two providers work in one tactic', async () => {
    const { service, standard, other } = await startDebate()
    const { status, body } = await service.call('debate', 'Bees are busy.', { return_session: true })
    expect({ status, result: body.result }).toEqual({ status: 200, result: 'antithesis' })
    expect(standard.requests).toMatchObject([{ model: 'gpt-4o', lastText: 'Bees are busy.' }])
    expect(other.requests).toMatchObject([{ model: 'qwen3-32b', lastText: 'thesis' }])
    expect(body.session?.agent_calls.flatMap(({ llm_calls }) => llm_calls)).toMatchObject([
      { invoker: 'openai', model: 'gpt-4o' },
      { invoker: 'my-server', model: 'qwen3-32b' },
    ])
  })

  test('the key of the settings goes to its own provider and to no other', async () => {
    const { service, standard, other } = await startDebate()
    await service.call('debate', 'bees')
    expect(standard.requests[0]?.headers.authorization).toBe(`Bearer ${providerKey}`)
    expect(other.requests[0]?.headers.authorization).toBeUndefined()
    expect(JSON.stringify(other.requests)).not.toContain(providerKey)
  })

  test('a declared provider has its key in a variable of its own name', async () => {
    const { service, standard, other } = await startDebate({ LLLM_API_KEY_MY_SERVER: 'key-of-my-server' })
    await service.call('debate', 'bees')
    expect(other.requests[0]?.headers.authorization).toBe('Bearer key-of-my-server')
    expect(JSON.stringify(standard.requests)).not.toContain('key-of-my-server')
  })

  test('no key is told to a caller or to the log', async () => {
    const { service, other } = await startDebate({ LLLM_API_KEY_MY_SERVER: 'key-of-my-server' })
    const { body } = await service.call('debate', 'bees')
    const told = await Promise.all(
      [`/sessions/${body.session_id}`, '/tactics/debate', '/info', '/openapi.json'].map((path) => service.get(path)),
    )
    const all = JSON.stringify([told, service.logLines])
    for (const secret of [providerKey, 'key-of-my-server', other.url]) expect(all).not.toContain(secret)
  })

  test('instructions have the role that the server knows: developer for OpenAI, system for others unless switched', async () => {
    const roleOf = (requests: readonly { readonly messages: readonly { readonly role?: string }[] }[]) =>
      requests[0]?.messages[0]?.role
    const plain = await startDebate()
    await plain.service.call('debate', 'bees')
    expect(roleOf(plain.standard.requests)).toBe('developer')
    expect(roleOf(plain.other.requests)).toBe('system')

    const switched = await startDebate({}, ', system_role: developer')
    await switched.service.call('debate', 'bees')
    expect(roleOf(switched.other.requests)).toBe('developer')
  })
})

test('an agent of the api_type response speaks the other wire format, and nothing else changes', async () => {
  const provider = await scripted(() => json({ good: true, why: 'It is short.' }))
  const folder = await writePackage({
    'tactics/review.ts': review,
    'configs/review.yaml': config('review', { critic: 'You judge.' }, 'model_name: gpt-4o, api_type: response'),
  })
  const service = await startService({ folder, provider })
  const { status, body } = await service.call('review', 'Bees are busy.', { return_session: 'summary' })
  expect(status).toBe(200)
  expect(body).toMatchObject({ result: { good: true, why: 'It is short.' }, session: { llm_calls: 1 } })
  expect(body.cost_usd).toBeGreaterThan(0)
  expect(provider.requests).toMatchObject([
    { path: '/v1/responses', body: { text: { format: { type: 'json_schema' } } } },
  ])
})

interface Info {
  readonly simulated: boolean
  readonly notice: string | null
  readonly invokers: readonly { readonly name: string; readonly simulated: boolean }[]
}

describe('whether the model is simulated', () => {
  test('without a key and a base URL it is, and every door says so', async () => {
    const service = await spawnService()
    expect(service.logLines.find(({ level }) => level === 40)?.['msg']).toMatch(/simulated model/)

    const { body: info } = await service.get<Info>('/info')
    expect(info).toMatchObject({ simulated: true, invokers: [{ name: 'simulated', simulated: true }] })
    expect(info.notice).toMatch(/simulated.*OPENAI_API_KEY or OPENAI_BASE_URL/)

    const call = await service.call('researcher', 'bees')
    expect(call.headers.get('lllm-simulated')).toBe('true')
    expect((await service.batch('researcher', ['bees'])).headers.get('lllm-simulated')).toBe('true')

    const session = await service.session(call.body.session_id)
    expect(session).toMatchObject({ simulated: true, cost: { cost_usd: 0, unpriced_calls: 0 } })
    expect(session.agent_calls[0]?.llm_calls[0]).toMatchObject({ invoker: 'simulated', model: 'simulated/gpt-4o' })
  })

  test('with a base URL alone it is not, and nothing says so', async () => {
    const provider = await scripted(() => says('facts'))
    const service = await spawnService({ env: { OPENAI_BASE_URL: provider.url } })
    const { body: info } = await service.get<Info>('/info')
    expect(info).toMatchObject({ simulated: false, notice: null })
    const call = await service.call('researcher', 'bees')
    expect(call.headers.get('lllm-simulated')).toBeNull()
    expect((await service.session(call.body.session_id)).simulated).toBe(false)
    service.kill('SIGTERM')
    expect((await service.exited).stdout).not.toMatch(/simulated/)
  })
})
