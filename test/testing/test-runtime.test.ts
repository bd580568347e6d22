import { fileURLToPath } from 'node:url'
import { costUsd, definePrompt, defineTool, isLllmError, Tactic } from 'lllm'
import { callsTool, saysJson, testRuntime } from 'lllm/testing'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import Headline from '../../examples/first/tactics/headline.ts'
import { manifest, packageFolder } from '../packages/package-folder.ts'

const folder = fileURLToPath(new URL('../../examples/first/', import.meta.url))
const three = { headlines: ['Rain', 'More rain', 'Still rain'] }

class Write extends Tactic({ name: 'write', agents: ['writer'] }) {
  async call(task: string) {
    const { writer } = this.agents
    return (await writer.open('draft').receive(task).respond()).content
  }
}

class Twice extends Tactic({ name: 'twice', tactics: { write: Write } }) {
  async call(task: string) {
    return `${await this.tactics.write(task)} ${await this.tactics.write(task)}`
  }
}

describe('a runtime for tests', () => {
  test('loads the project of a folder', async () => {
    const { build, model, engine } = await testRuntime({ folder, model: [saysJson(three)] })
    expect(await build(Headline)({ text: 'It rained.' })).toEqual(three)
    expect(model.requestsOf('editor')[0]).toMatchObject({ model: 'gpt-4o-mini', modelArgs: { temperature: 0.7 } })
    expect(engine.tactics.map(({ id }) => id)).toEqual(['first::headline'])
  })

  test('takes tactics without a folder, and makes their configs', async () => {
    const { build, model } = await testRuntime({ tactics: [Twice, Write], model: ['one', 'two'] })
    expect(await build(Twice)('go')).toBe('one two')
    expect(model.requests[0]?.messages[0]).toEqual({ role: 'system', content: 'You are the writer.' })
  })

  test('takes configs and prompts as they are in files', async () => {
    const { build, model } = await testRuntime({
      tactics: [Write],
      prompts: { tone: definePrompt({ template: 'You write {{tersely}}.' }) },
      configs: {
        write: { global: { model_name: 'big' }, agent_configs: [{ name: 'writer', system_prompt_path: 'tone' }] },
        'write/small': { base: 'write', global: { model_name: 'small' } },
      },
      model: 'fine',
    })
    await build(Write)('go')
    await build(Write, 'write/small')('go')
    expect(model.requests.map((request) => request.model)).toEqual(['big', 'small'])
    expect(model.requests[1]?.messages[0]?.content).toBe('You write {tersely}.')
  })

  test('leads every invoker that a config may name to the script', async () => {
    const config = (invoker: string) => ({
      invokers: { own: { type: 'openai', base_url: 'http://192.0.2.1/v1' } },
      agent_configs: [{ name: 'writer', model_name: 'some', system_prompt: 'You write.', invoker }],
    })
    const { build, model } = await testRuntime({ tactics: [Write], model: 'fine' })
    for (const invoker of ['own', 'openai', 'simulated']) expect(await build(Write, config(invoker))('go')).toBe('fine')
    expect(model.requests).toHaveLength(3)
  })

  test('has tools in the place of those of MCP servers', async () => {
    const look = defineTool({ name: 'look', description: 'Looks.', args: z.object({}), run: () => 'a bee' })
    const { build, model } = await testRuntime({
      tactics: [Write],
      prompts: { 'system/writer': definePrompt({ template: 'You look.', mcpServers: ['eyes'] }) },
      mcp: { eyes: [look] },
      model: [callsTool('look'), 'It is a bee.'],
    })
    expect(await build(Write)('What is it?')).toBe('It is a bee.')
    expect(model.textsOf('writer')).toEqual(['What is it?', 'a bee'])
  })

  test('is the same at every run: ids, times, prices', async () => {
    const run = async () => {
      const { build } = await testRuntime({ tactics: [Twice, Write], model: 'fine' })
      return (await build(Twice).session('go')).session
    }
    const session = await run()
    expect(await run()).toEqual(session)
    expect(session).toMatchObject({ id: '00000000-0000-7000-8000-000000000001', startedAtMs: Date.UTC(2026, 0, 1) })
    expect(costUsd(session.cost)).toBe(0.00028) // 2 × (100 × $1 + 20 × $2) per million tokens
  })

  test('holds to budgets, at the prices that it has', async () => {
    const { build, model } = await testRuntime({
      tactics: [Twice, Write],
      global: { model_args: { max_completion_tokens: 20 } },
      model: 'fine',
    })
    await expect(build(Twice)('go', { budgetUsd: 0.0002 })).rejects.toMatchObject({ code: 'budget-exceeded' })
    expect(model.requests).toHaveLength(1)
  })

  test('heeds no environment: no key, no database, none of the packages of the user', async () => {
    const home = await packageFolder({ 'packages/mine/lllm.toml': manifest('mine') })
    vi.stubEnv('OPENAI_API_KEY', 'a-key').stubEnv('LLLM_DATABASE', '/no/such/place.db').stubEnv('LLLM_HOME', home)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { packages, store } = await testRuntime({ folder, model: 'fine' })
    expect(packages.all.map(({ name }) => name)).toEqual(['first'])
    expect(store.kind).toBe('memory')
  })

  test('says what is wrong with a project, as a start would', async () => {
    const broken = await packageFolder({ 'lllm.toml': manifest(), 'configs/a.yaml': 'tactic_type: nope\n' })
    const error: unknown = await testRuntime({ folder: broken }).catch((reason) => reason)
    expect(isLllmError(error) && error.message).toMatch(/a\.yaml.*no tactic "nope"/)
  })

  test('says so when a class is not that of the folder, but one of the same name', async () => {
    const { build } = await testRuntime({ folder })
    class Twin extends Headline {}
    expect(() => build(Twin)).toThrow(/tactics\/headline\.ts has the same name and is another one: .* a test runner/)
  })

  test('can be asked directly, and talked with', async () => {
    const { quick, chat, model } = await testRuntime({ tactics: [], model: ['Yes.', 'Very.'] })
    expect(await quick('Is Lisbon hilly?', { model: 'any' })).toBe('Yes.')
    const talk = chat({ model: 'any' })
    expect((await talk.send('How hilly?')).content).toBe('Very.')
    await talk.close()
    expect(model.textsOf('assistant')).toEqual(['Is Lisbon hilly?', 'How hilly?'])
  })
})

describe('recorded sessions', () => {
  test('are those of all calls since then, also of those that failed', async () => {
    const { build, recordSessions, store } = await testRuntime({ tactics: [Twice, Write], model: ['a', 'b', 'c', 'd'] })
    await build(Write)('before')
    const sessions = recordSessions()
    expect(await build(Twice)('two')).toBe('b c')
    await build(Write).batch(['three', 'four'], { maxWorkers: 1 })
    expect(sessions.map(({ tactic, state }) => `${tactic} ${state}`)).toEqual([
      'twice success',
      'write success',
      'write failure',
    ])
    expect((await store.list({}, 10)).data).toHaveLength(4)
  })
})
