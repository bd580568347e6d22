import { fileURLToPath } from 'node:url'
import { type Emit, loadRuntime, type Runtime } from 'lllm'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import Brainstorm from '../../examples/authoring/tactics/brainstorm.ts'
import Digest from '../../examples/authoring/tactics/digest.ts'
import Look from '../../examples/authoring/tactics/look.ts'
import OrderHelp from '../../examples/authoring/tactics/order-help.ts'
import Panel from '../../examples/authoring/tactics/panel.ts'
import Translate from '../../examples/authoring/tactics/translate.ts'
import * as calling from '../../examples/calling/calling.ts'
import FrontPage from '../../examples/packages/tactics/front-page.ts'
import { after, callsTool, createGate, type Script, says, startProvider } from '../support/scripted-provider.ts'
import { root } from './markdown.ts'

function folderOf(name: string): string {
  return fileURLToPath(new URL(`examples/${name}/`, root))
}

/** Loads a package of the examples whose model says what a script says. */
async function openExamples(name: string, script: Script) {
  const provider = await startProvider(script)
  const env = { LLLM_DATABASE: ':memory:', OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: 'scripted' }
  const runtime = await loadRuntime({ folder: folderOf(name), env })
  onTestFinished(async () => {
    await runtime.close()
    await provider.close()
  })
  return { provider, runtime }
}

function repeatLastWord(): Script {
  return ({ lastText }) => says(lastText.split(/\s+/).at(-1) ?? '')
}

async function loadSimulated(name: string, env: Readonly<Record<string, string>> = {}): Promise<Runtime> {
  const runtime = await loadRuntime({ folder: folderOf(name), env: { LLLM_DATABASE: ':memory:', ...env } })
  onTestFinished(() => runtime.close())
  return runtime
}

describe('the packages of docs/configuration.md', () => {
  test('have a tactic that calls one of another package, each with its own prompts and files', async () => {
    const { provider, runtime } = await openExamples('packages', ['Bees are busy.', 'BEES BUSY'])
    expect(await runtime.build(FrontPage)('bees')).toBe('BEES BUSY')
    const [report, page] = provider.requests
    expect(report?.text).toContain('You write reports in plain words.')
    expect(report?.lastText).toContain('session: the record of one call')
    expect(page?.text).toContain('You write reports in plain words.')
    expect(page?.body).toMatchObject({ model: 'gpt-4o' })
    expect(page?.lastText).toBe('Make a front page of this, in our style:\n\nBees are busy.')
  })

  test('have a config of the one for a tactic of the other', async () => {
    const { provider, runtime } = await openExamples('packages', ['Short.'])
    expect(await runtime.build('tk::glossary_report')('bees', { config: 'short' })).toBe('Short.')
    expect(provider.requests[0]?.text).toContain('You answer in ten words.')
  })
})

describe('the tactics of docs/authoring.md', () => {
  test('brainstorm forks a dialog and leaves the original as it was', async () => {
    const { provider, runtime } = await openExamples('authoring', [
      'a kite',
      'a huge kite',
      'a paper kite',
      'the paper one',
    ])
    expect(await runtime.build(Brainstorm)('mail')).toBe('the paper one')
    const [, bolder, cheaper, judged] = provider.requests
    expect(bolder?.text).toContain('a kite')
    expect(cheaper?.text).not.toContain('a huge kite')
    expect(judged?.messages).toMatchObject([{}, { name: 'bold' }, { name: 'cheap' }, {}])
  })

  test('translate reads tags, and goes on in the same dialog', async () => {
    const { provider, runtime } = await openExamples('authoring', [
      'Eine <translation>Taktik</translation>, <doubt>tactic</doubt>',
      'Die Taktik',
    ])
    const translation = await runtime.build(Translate)({ text: 'A tactic', language: 'German' })
    expect(translation).toEqual({ translation: 'Die Taktik', doubts: ['tactic'] })
    const [first, second] = provider.requests
    expect(first?.text).toContain('technical texts into German')
    expect(first?.lastText).toContain('tactic = Taktik')
    expect(second?.lastText).toContain('Doubts that you had: tactic.')
  })

  test('order_help runs the tool that the model calls', async () => {
    const { provider, runtime } = await openExamples('authoring', [
      callsTool('find_order', { number: 'A-17' }),
      'It was sent on March 2nd.',
    ])
    expect(await runtime.build(OrderHelp)('Where is A-17?')).toBe('It was sent on March 2nd.')
    expect(provider.requests[1]?.lastText).toContain('"sent_on":"2026-03-02"')
  })

  test('look sends a picture and reads JSON', async () => {
    const { provider, runtime } = await openExamples('authoring', ['{"caption":"A cat","objects":["cat"]}'])
    expect(await runtime.build(Look)({ image_url: 'https://example.org/cat.png' })).toEqual({
      caption: 'A cat',
      objects: ['cat'],
    })
    expect(provider.requests[0]?.text).toContain('https://example.org/cat.png')
  })

  test('panel responds in three dialogs at once', async () => {
    const gate = createGate()
    const { provider, runtime } = await openExamples('authoring', () => after(gate, 'fine'))
    const verdict = runtime.build(Panel)('Sell ice.')
    await provider.until(({ inFlight }) => inFlight === 3)
    gate.open()
    expect(await verdict).toBe('fine\nfine\nfine')
  })

  test('digest goes on without the summary that failed, and asks its own agent for the title', async () => {
    const { runtime } = await openExamples('authoring', ({ text }) => {
      if (text.includes('Write a title')) return 'The title'
      return says(text.includes('riddle') || text.includes('(no summary)') ? '' : 'fine')
    })
    const report = await runtime.build(Digest).session({ articles: ['news', 'riddle'] })
    expect(report).toMatchObject({ ok: true, result: 'The title\nfine\n(no summary)' })
    expect(report.session.subSessions.map(({ state }) => state)).toEqual(['success', 'failure', 'failure'])
  })
})

describe('calling from code', () => {
  test('a program loads a runtime with the settings of its environment, and closes it', async () => {
    vi.stubEnv('LLLM_DATABASE', ':memory:').stubEnv('OPENAI_API_KEY', '').stubEnv('OPENAI_BASE_URL', '')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await calling.callOnce(folderOf('authoring'))).toMatch('[simulated] A reply to “Summarize in one sentence')
  })

  test('a tactic is called by its class', async () => {
    const { runtime } = await openExamples('authoring', repeatLastWord())
    expect(await calling.summarizeInOrder(runtime, ['one', 'two'])).toEqual(['one', 'two'])
    expect(await calling.cancelAfter(runtime, 'three', new AbortController().signal)).toBe('three')
  })

  test('a signal cancels a call', async () => {
    const { runtime } = await openExamples('authoring', [])
    expect(await calling.cancelAfter(runtime, 'three', AbortSignal.abort())).toBe('cancelled')
  })

  test('results come as they are completed', async () => {
    const { runtime } = await openExamples('authoring', repeatLastWord())
    const lines: string[] = []
    await calling.summarizeAsCompleted(runtime, ['one', 'two'], (line) => lines.push(line))
    expect(lines.sort()).toEqual(['Task 0: one', 'Task 1: two'])
  })

  test('a call is followed while its reply comes', async () => {
    const { runtime } = await openExamples('authoring', repeatLastWord())
    const lines: string[] = []
    const result = await calling.follow(runtime, 'one two', (line) => lines.push(line))
    expect(lines.join('')).toBe(`writer: ${result}`)
  })

  test('a tactic tells its own progress', async () => {
    const { runtime } = await openExamples('authoring', repeatLastWord())
    const progress: unknown[] = []
    const emit: Emit = (event) => void (event.type === 'progress' && progress.push(event.data))
    await runtime.build(Digest)({ articles: ['one', 'two'] }, { emit })
    expect(progress).toEqual([{ summarized: 2, failed: 0 }])
  })

  test('a report has the session, its cost and its summary', async () => {
    const { runtime } = await openExamples('authoring', repeatLastWord())
    const { spent, text, summary } = await calling.reportOn(runtime, ['one'])
    expect(spent).toEqual({ usd: expect.any(Number), unpricedCalls: 0 })
    expect(text).toBe('one\none')
    expect(summary).toMatchObject({
      tactic: 'digest',
      state: 'success',
      agent_calls: 0,
      sub_tactic_calls: 2,
      llm_calls: 2,
    })
  })

  test('a tactic is built in each of the ways', async () => {
    const runtime = await loadSimulated('authoring')
    const { byClass, byName, withConfig, byType } = calling.buildInEachWay(runtime)
    expect(await byClass('text')).toContain('simulated')
    expect(await byName('text')).toContain('simulated')
    expect((await withConfig({ text: 'text' })).headlines).toHaveLength(3)
    expect(await byType({ articles: ['text'] })).toContain('simulated')
  })

  test('a chat is one session', async () => {
    const { provider, runtime } = await openExamples('authoring', ['Very.', 'Walk.', 'Ride a tram.'])
    const { answer, reply, session } = await calling.talk(runtime)
    expect([answer, reply.content]).toEqual(['Very.', 'Ride a tram.'])
    expect(session.agentCalls).toHaveLength(2)
    expect(provider.requests[2]?.messages).toHaveLength(4)
  })
})

describe('the package of docs/configuration.md', () => {
  const env = {
    LLLM_PRICES: fileURLToPath(new URL('examples/configuration/prices.yaml', root)),
    LLLM_BUDGETS: fileURLToPath(new URL('examples/configuration/budgets.yaml', root)),
    LLLM_MCP_CONFIG: fileURLToPath(new URL('examples/configuration/mcp.json', root)),
    LLLM_SCHEDULES: fileURLToPath(new URL('examples/configuration/schedules.yaml', root)),
    LLLM_API_KEY_MY_SERVER: 'a-key-of-the-test',
  }

  test('loads, with its prices, its MCP servers and its schedules', async () => {
    const runtime = await loadSimulated('configuration', env)
    expect(runtime.warnings).toEqual([])
    const { configs } = runtime.engine.find('report')
    expect([...configs.keys()]).toEqual(['default', 'frugal', 'local', 'private', 'steady'])
    expect(configs.get('default')?.agents.get('checker')).toMatchObject({
      model: 'gpt-4o-mini',
      apiType: 'response',
      modelArgs: { temperature: 0.2, max_output_tokens: 4000 },
    })
    expect(configs.get('local')?.agents.get('writer')).toMatchObject({
      model: 'qwen3-32b',
      invoker: { name: 'my-server' },
    })
    expect(configs.get('local')?.subTactics.get('facts')?.config.name).toBe('facts_short')
    expect((await runtime.schedules.list()).map(({ schedule, last }) => [schedule.name, last])).toEqual([
      ['morning-report', null],
      ['facts', null],
    ])
  })
})
