import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Agent, Reply } from '../../src/domain/agent.ts'
import { resolveConfig } from '../../src/domain/config.ts'
import type { Package } from '../../src/domain/package.ts'
import { validate } from '../../src/domain/schema.ts'
import type { Tool } from '../../src/domain/tool.ts'
import { loadFolder } from './package-folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
let loaded: Package
let warnings: readonly string[]

beforeAll(async () => {
  const result = await loadFolder(root)
  loaded = result.package
  warnings = result.warnings
})

function findTactic(name: string) {
  const found = loaded.tactics.find(({ tactic }) => tactic.spec.name === name)
  if (found === undefined) throw new Error(`The package has no tactic "${name}".`)
  return found.tactic
}

function loadedAsset(url: string): never {
  throw new Error(`The tactic asks for ${url}, but the package has no files.`)
}

/** Calls a tactic whose agents answer with their names, and gives all that they were told, in order. */
async function listen(name: string, task: unknown) {
  const heard: string[] = []
  const agentNamed = (agentName: string) => {
    const agent = {
      open: (alias: string) => heard.push(`${agentName} opens ${alias}`),
      receive: (text: string) => heard.push(`${agentName} hears ${text}`),
      respond: async () => ({ content: `<${agentName}>` }) as Reply,
    }
    return agent as unknown as Agent
  }
  const { spec } = findTactic(name)
  const agents = Object.fromEntries(spec.agents.map((agentName) => [agentName, agentNamed(agentName)]))
  const subTactics = Object.keys(spec.tactics).map((subTactic) => [subTactic, async () => `<${subTactic}>`])
  const scope = {
    agents,
    tactics: Object.fromEntries(subTactics),
    emit: async () => {},
    asset: loadedAsset,
    signal: new AbortController().signal,
    now: async () => 0,
    random: async () => 0,
    sleep: async () => {},
  }
  const result = await new (findTactic(name))(scope).call(task as never)
  return { heard, result }
}

describe('the default package', () => {
  test('holds the tactics of the lesson, a typed one and one with tools', () => {
    expect(warnings).toEqual([])
    expect(loaded.tactics.map(({ tactic }) => tactic.spec.name).toSorted()).toEqual([
      'blog_post',
      'code_review',
      'data_analyst',
      'edited_writing_pipeline',
      'pipeline',
      'researcher',
      'summarizer',
      'writing_pipeline',
    ])
  })

  test('describes each of them, with examples that fit', async () => {
    for (const { tactic } of loaded.tactics) {
      expect(tactic.spec.description, tactic.spec.name).toMatch(/\.$/)
      expect(tactic.spec.examples.length, tactic.spec.name).toBeGreaterThan(0)
      for (const example of tactic.spec.examples) {
        expect(await validate(tactic.spec.input, example)).toMatchObject({ ok: true })
      }
    }
  })

  test('has a config for each, with all of its agents and only prompts that are there', () => {
    for (const { tactic } of loaded.tactics) {
      const configs = [...loaded.configs.values()].map((source) => resolveConfig(source, loaded))
      const own = configs.filter(({ tacticType }) => tacticType === tactic.spec.name)
      expect(own.length, tactic.spec.name).toBeGreaterThan(0)
      for (const { agents, file } of own) {
        expect(new Set(agents.keys()), file).toEqual(new Set(tactic.spec.agents))
        for (const { modelName, systemPrompt, systemPromptPath } of agents.values()) {
          expect(modelName, file).toBeDefined()
          expect(systemPrompt !== undefined || loaded.prompts.has(systemPromptPath ?? ''), file).toBe(true)
        }
      }
    }
  })

  test('has the config of the lesson for its summarizer', () => {
    const source = loaded.configs.get('summarizer')
    if (source === undefined) throw new Error('The config is missing.')
    expect(resolveConfig(source, loaded).agents.get('writer')).toMatchObject({
      modelName: 'gpt-4o',
      systemPrompt: 'You are a concise technical writer.',
      modelArgs: { temperature: 0.2, max_completion_tokens: 1000 },
    })
  })
})

describe('the agents of the lesson are told word for word what it says, by', () => {
  test('summarizer', async () => {
    expect(await listen('summarizer', 'Bees {hum}.')).toEqual({
      heard: ['writer opens session', 'writer hears Summarize this text in 3 bullet points:\n\nBees {hum}.'],
      result: '<writer>',
    })
  })

  test('researcher', async () => {
    expect(await listen('researcher', 'bees')).toEqual({
      heard: [
        'finder opens gather',
        'finder hears List 5 key facts about: bees',
        'synthesizer opens synthesize',
        'synthesizer hears Facts:\n<finder>\n\nWrite a short paragraph.',
      ],
      result: '<synthesizer>',
    })
  })

  test('pipeline', async () => {
    expect(await listen('pipeline', 'bees')).toEqual({
      heard: [
        'coordinator opens plan',
        'coordinator hears Based on this research:\n<researcher>\n\nCreate an action plan.',
      ],
      result: '<coordinator>',
    })
  })

  const drafting = [
    'outliner opens outline',
    'outliner hears Create a concise 5-point outline about: bees',
    'writer opens write',
    'writer hears Expand this outline into a short article:\n\n<outliner>',
  ]

  test('writing_pipeline', async () => {
    expect(await listen('writing_pipeline', 'bees')).toEqual({ heard: drafting, result: '<writer>' })
  })

  test('edited_writing_pipeline', async () => {
    expect(await listen('edited_writing_pipeline', 'bees')).toEqual({
      heard: [
        ...drafting,
        'editor opens edit',
        'editor hears Polish this draft for clarity and concision:\n\n<writer>',
      ],
      result: '<editor>',
    })
  })

  test('blog_post', async () => {
    expect(await listen('blog_post', 'Bees hum.')).toEqual({
      heard: [
        'writer opens polish',
        'writer hears Polish this:\n\nBees hum.',
        'seo_reviewer opens seo',
        'seo_reviewer hears Add SEO keywords to:\n\n<writer>',
      ],
      result: '<seo_reviewer>',
    })
  })
})

describe('the tools of the analyst', () => {
  const context = { signal: new AbortController().signal, idempotencyKey: 'key' }
  const findTool = (name: string): Tool => {
    const found = loaded.prompts.get('data_analyst')?.tools.find((tool) => tool.name === name)
    if (found === undefined) throw new Error(`The prompt has no tool "${name}".`)
    return found
  }

  test('describe a series', () => {
    const { run } = findTool('describe_series')
    const { standard_deviation: deviation, ...figures } = run({ values: [4, 2, 8, 6] }, context) as Record<
      string,
      number
    >
    expect(figures).toEqual({ count: 4, minimum: 2, maximum: 8, mean: 5, median: 5 })
    expect(deviation).toBeCloseTo(Math.sqrt(20 / 3))
    expect(run({ values: [3] }, context)).toMatchObject({ median: 3, standard_deviation: null })
  })

  test('fit a line, and say why they cannot', () => {
    const { run } = findTool('fit_line')
    expect(run({ x: [0, 1, 2], y: [1, 3, 5] }, context)).toEqual({ slope: 2, intercept: 1, correlation: 1 })
    expect(run({ x: [1, 2], y: [3, 3] }, context)).toMatchObject({ slope: 0, correlation: 0 })
    expect(() => run({ x: [1, 2], y: [1, 2, 3] }, context)).toThrow('The series differ in length: 2 and 3.')
    expect(() => run({ x: [1, 1], y: [1, 2] }, context)).toThrow('All values of x are equal')
  })
})
