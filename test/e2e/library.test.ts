import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LllmError, loadRuntime, type Runtime, type Settled, summaryOf, Tactic } from '../../src/index.ts'
import ResearchTactic from '../../tactics/researcher.ts'
import SummarizerTactic from '../../tactics/summarizer.ts'
import { type Script, type ScriptedProvider, says, status } from '../support/scripted-provider.ts'
import { config, writePackage } from './support/package.ts'
import { environmentOf, projectFolder, providerKey, scripted } from './support/service.ts'
import { spawnProcess } from './support/spawned-service.ts'

/** Loads the default package around a provider. It is closed after the test. */
async function open(script: Script, folder = projectFolder) {
  const provider = await scripted(script)
  const runtime = await loadRuntime({ folder, env: environmentOf({ provider }) })
  onTestFinished(() => runtime.close())
  return { provider, runtime }
}

const echo: Script = ({ lastText }) => says(`re: ${lastText}`)

class Shout extends Tactic({ name: 'shout', agents: ['shouter'] }) {
  async call(task: string) {
    return (await this.agents.shouter.open('shout').receive(task).respond()).content.toUpperCase()
  }
}

function shoutConfig(model: string) {
  return { global: { model_name: model }, agent_configs: [{ name: 'shouter', system_prompt: 'You shout.' }] }
}

const modelsOf = ({ requests }: ScriptedProvider) => requests.map(({ model }) => model)

describe('build makes a tactic ready to be called', () => {
  test('by its class or by its name, with its default config', async () => {
    const { runtime } = await open(echo)
    const byClass = runtime.build(SummarizerTactic)
    const byName = runtime.build('summarizer')
    expect(await byClass('bees')).toMatch(/^re: .*bees/s)
    expect(await byName('bees')).toBe(await byClass('bees'))
  })

  test('with another config of the package, by its name', async () => {
    const { runtime, provider } = await open(() => says('{"issues": [], "summary": "fine"}'))
    const models = (name: string) => JSON.stringify(runtime.resolveConfig(name))
    expect(models('code_review/pro')).not.toBe(models('code_review/default'))
    await runtime.build('code_review', 'code_review/pro').session({ code: 'let it = be', language: 'ts' })
    expect(models('code_review/pro')).toContain(modelsOf(provider)[0])
  })

  test('with a config as a value, also for a class that is in no package', async () => {
    const { runtime, provider } = await open(echo)
    expect(await runtime.build(Shout, shoutConfig('gpt-4o-mini'))('bees')).toBe('RE: BEES')
    expect(modelsOf(provider)).toEqual(['gpt-4o-mini'])
  })

  test('from a config alone, by its tactic_type', async () => {
    const { runtime, provider } = await open(echo)
    const base = runtime.resolveConfig('summarizer')
    const call = runtime.build({ ...base, tactic_type: 'summarizer', global: { model_name: 'gpt-4.1' } })
    await call('bees')
    expect(modelsOf(provider)).toEqual(['gpt-4.1'])
  })

  test('and says what is known where something does not fit', async () => {
    const { runtime } = await open(echo)
    const messageOf = (build: () => unknown) => {
      try {
        build()
      } catch (error) {
        if (error instanceof LllmError) return `${error.code}: ${error.message}`
      }
      throw new Error('It should have been refused.')
    }
    expect(messageOf(() => runtime.build('sumarizer'))).toMatch(/^unknown-tactic: .*Did you mean "summarizer"/)
    expect(messageOf(() => runtime.build('summarizer', 'sumarizer'))).toMatch(/^unknown-config: .*"summarizer"/)
    expect(messageOf(() => runtime.build(Shout))).toMatch(/^unknown-config: .*build\(Shout, config\)/)
    expect(messageOf(() => runtime.build(shoutConfig('gpt-4o')))).toMatch(/^invalid-config: .*tactic_type/)
    expect(messageOf(() => runtime.build(Shout, { agent_configs: [] }))).toMatch(/^invalid-config: .*"shouter"/)
    expect(messageOf(() => runtime.resolveConfig('nope'))).toMatch(/^unknown-config: /)
  })
})

describe('a tactic that was built', () => {
  test('rejects with the error of the call, and session gives error and session instead', async () => {
    const { runtime } = await open(() => status(400))
    const research = runtime.build(ResearchTactic)
    await expect(research('bees')).rejects.toMatchObject({ code: 'provider-rejected' })
    const report = await research.session('bees', { tags: { team: 'search' } })
    expect(report).toMatchObject({ ok: false, error: { code: 'provider-rejected' }, session: { state: 'failure' } })
    expect((await runtime.store.get(report.session.id))?.tags).toEqual({ team: 'search' })
  })

  test('gives the session beside the result, and stores it', async () => {
    const { runtime } = await open(echo)
    const report = await runtime.build(ResearchTactic).session('bees')
    expect(report).toMatchObject({ ok: true, result: expect.stringMatching(/^re: /) })
    expect(summaryOf(report.session)).toMatchObject({ tactic: 'researcher', state: 'success', agent_calls: 2 })
    expect(await runtime.store.get(report.session.id)).toMatchObject({ state: 'success' })
  })

  test('works through many tasks, in their order or as they complete', async () => {
    const { runtime } = await open(({ lastText }) => (lastText.includes('bad') ? status(400) : says(lastText)))
    const shout = runtime.build(Shout, shoutConfig('gpt-4o'))
    expect(await shout.batch(['one', 'bad', 'two'], { maxWorkers: 2 })).toMatchObject([
      { index: 0, status: 'success', result: 'ONE' },
      { index: 1, status: 'failure', error: { code: 'provider-rejected' } },
      { index: 2, status: 'success', result: 'TWO' },
    ])
    const completed: Settled<string>[] = []
    for await (const settled of shout.asCompleted(['one', 'two', 'three'])) completed.push(settled)
    expect(completed.map(({ index }) => index).toSorted()).toEqual([0, 1, 2])
  })
})

describe('runtimes side by side in one process', () => {
  test('share nothing: not their packages, providers, keys or sessions', async () => {
    const folder = await writePackage({
      'tactics/shout.ts': `import { Tactic } from 'lllm'
export default class extends Tactic({ name: 'shout', agents: ['shouter'] }) {
  async call(task) { return (await this.agents.shouter.open('shout').receive(task).respond()).content }
}
`,
      'configs/shout.yaml': config('shout', { shouter: 'You shout.' }),
    })
    const [first, second] = [await open(() => says('first')), await open(() => says('second'), folder)]
    const other = await scripted(() => says('third'))
    const third = await loadRuntime({
      folder,
      env: { LLLM_DATABASE: ':memory:', LLLM_HOME: '/nonexistent', OPENAI_BASE_URL: other.url },
    })
    onTestFinished(() => third.close())

    const reports = [
      await first.runtime.build('summarizer').session('bees'),
      await second.runtime.build('shout').session('bees'),
      await third.build('shout').session('bees'),
    ]
    expect(reports).toMatchObject([{ result: 'first' }, { result: 'second' }, { result: 'third' }])
    expect(() => second.runtime.build('summarizer')).toThrow('Known: shout.')
    const keys = [first.provider, second.provider, other].map(({ requests }) => requests[0]?.headers.authorization)
    expect(keys).toEqual([`Bearer ${providerKey}`, `Bearer ${providerKey}`, undefined])

    // Closing one leaves the others as they are.
    await first.runtime.close()
    expect(await second.runtime.build('shout')('again')).toBe('second')
    const stored = (runtime: Runtime) => runtime.store.list({}, 10)
    expect((await stored(second.runtime)).data).toHaveLength(2)
    expect((await stored(third)).data.map(({ id }) => id)).toEqual([reports[2]?.session.id])
  })

  test('a runtime that was closed holds no socket, file or thread, so that the process can end', async () => {
    const provider = await scripted(() => says('facts'))
    const folder = await writePackage({
      'program.ts': `import { loadRuntime } from '${new URL('../../src/index.ts', import.meta.url).href}'
const lllm = await loadRuntime({ folder: '${projectFolder}' })
const result = await lllm.build('researcher')('bees')
process.stdout.write(result)
await lllm.close()
await lllm.close()
`,
    })
    const spec = { provider, folder, database: join(folder, 'data/sessions.db') }
    const program = spawnProcess(spec, [join(folder, 'program.ts')])
    expect(await program.exited).toEqual({ code: 0, signal: null, stdout: 'facts\n', stderr: '' })
  })

  test('a start that fails holds none either', async () => {
    const folder = await writePackage({
      'program.ts': `import { loadRuntime } from '${new URL('../../src/index.ts', import.meta.url).href}'
await loadRuntime({ folder: import.meta.dirname }).catch(({ code }) => process.stdout.write(code))
`,
      // Found while the store is still being opened.
      'configs/essay.yaml': 'global: [',
    })
    const program = spawnProcess({ folder, database: join(folder, 'sessions.db') }, [join(folder, 'program.ts')])
    expect(await program.exited).toEqual({ code: 0, signal: null, stdout: 'invalid-config\n', stderr: '' })
  })
})
