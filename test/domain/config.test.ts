import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/domain/config.ts'
import { configDepthMax } from '../../src/domain/config-bases.ts'
import { type ConfigSource, makePackage } from '../../src/domain/package.ts'

/** Resolves the first of some configs, each given by its name. */
function resolve(configs: Readonly<Record<string, Readonly<Record<string, unknown>>>>) {
  const sources = Object.entries(configs).map(([name, value]): ConfigSource => ({ name, file: `${name}.yaml`, value }))
  const [first] = sources
  if (first === undefined) throw new Error('There is no config to resolve.')
  const byName = new Map(sources.map((source) => [source.name, source]))
  return resolveConfig(first, makePackage({ name: 'demo', version: '1.0.0', configs: byName }))
}

/** The only agent of a config. */
function resolveAgent(global: object, agent: object = {}) {
  return resolve({ x: { global, agent_configs: [{ name: 'writer', ...agent }] } }).agents.get('writer')
}

describe('an agent', () => {
  test('has the defaults that the lesson gives it', () => {
    expect(resolveAgent({ model_name: 'gpt-4o' })).toEqual({
      name: 'writer',
      modelName: 'gpt-4o',
      systemPrompt: undefined,
      systemPromptPath: undefined,
      apiType: 'completion',
      modelArgs: {},
      maxExceptionRetry: 3,
      maxInterruptSteps: 5,
      maxLlmRecall: 2,
      contextManager: undefined,
      invoker: undefined,
      fallbackModels: [],
    })
  })

  test('has models that stand in for its own, by name or with an invoker', () => {
    const agent = resolveAgent({ fallback_models: ['gpt-4.1', { model_name: 'qwen3', invoker: 'local' }] })
    expect(agent?.fallbackModels).toEqual([
      { modelName: 'gpt-4.1', invoker: undefined },
      { modelName: 'qwen3', invoker: 'local' },
    ])
    expect(() => resolveAgent({ fallback_models: Array(9).fill('gpt-4.1') })).toThrow('/global/fallback_models')
    expect(() => resolveAgent({ fallback_models: [{ model: 'gpt-4.1' }] })).toThrow('/global/fallback_models/0')
  })

  test('has what is said of all agents, and its own over it', () => {
    const agent = resolveAgent(
      { model_name: 'gpt-4o', api_type: 'response', max_llm_recall: 0, invoker: 'local' },
      { model_name: 'gpt-4.1', context_manager: { type: 'drop', max_tokens: 1000 } },
    )
    expect(agent).toMatchObject({
      modelName: 'gpt-4.1',
      apiType: 'response',
      maxLlmRecall: 0,
      invoker: 'local',
      contextManager: { type: 'drop', max_tokens: 1000 },
    })
  })

  test('has its model_args merged key by key', () => {
    const agent = resolveAgent(
      { model_args: { temperature: 0.2, seed: 1 } },
      { model_args: { max_completion_tokens: 1000, seed: 2 } },
    )
    expect(agent?.modelArgs).toEqual({ temperature: 0.2, max_completion_tokens: 1000, seed: 2 })
  })

  test('has keys that are not known as model_args; its own are stronger than all of global', () => {
    const agent = resolveAgent({ top_p: 0.9, model_args: { temperature: 0.2 } }, { temperature: 0.7, stop: ['END'] })
    expect(agent?.modelArgs).toEqual({ top_p: 0.9, temperature: 0.7, stop: ['END'] })
  })

  test('has its own prompt instead of the one of global, whichever kind each is', () => {
    expect(resolveAgent({ system_prompt: 'A' }, { system_prompt_path: 'b' })).toMatchObject({
      systemPrompt: undefined,
      systemPromptPath: 'b',
    })
    expect(resolveAgent({ system_prompt_path: 'a' }, { system_prompt: '' })).toMatchObject({
      systemPrompt: '',
      systemPromptPath: undefined,
    })
    expect(resolveAgent({ system_prompt: 'A' })).toMatchObject({ systemPrompt: 'A' })
  })

  test('has one prompt and one configuration', () => {
    expect(() => resolveAgent({}, { system_prompt: 'A', system_prompt_path: 'b' })).toThrow('give one of them')
    expect(() => resolve({ x: { agent_configs: [{ name: 'a' }, { name: 'a' }] } })).toThrow(
      'x.yaml: /agent_configs: the agent "a" is configured twice.',
    )
  })
})

describe('a config', () => {
  test('may hold nothing', () => {
    const { agents, invokers, subTactics, tacticType } = resolve({ x: {} })
    expect([agents.size, invokers.size, subTactics.size, tacticType]).toEqual([0, 0, 0, undefined])
  })

  test('names its tactic, invokers and the configs of sub-tactics', () => {
    const config = resolve({
      x: {
        tactic_type: 'essay',
        invokers: { local: { base_url: 'http://localhost:11434/v1' } },
        sub_tactics: { research: 'researcher/pro' },
      },
    })
    expect(config.tacticType).toBe('essay')
    expect(config.invokers.get('local')).toEqual({
      type: 'openai',
      base_url: 'http://localhost:11434/v1',
      system_role: 'system',
      limits: {},
    })
    expect(config.subTactics.get('research')).toBe('researcher/pro')
  })

  test('says what may be asked of its invokers', () => {
    const withLimits = (limits: object) =>
      resolve({ x: { invokers: { local: { base_url: 'http://localhost:11434/v1', limits } } } }).invokers.get('local')
    const limits = { concurrency: 16, requests_per_minute: 600, tokens_per_minute: 200_000 }
    expect(withLimits(limits)).toMatchObject({ limits })
    expect(withLimits({ concurrency: 16 })?.limits).toEqual({ concurrency: 16 })
    expect(() => withLimits({ concurrency: 0 })).toThrow('/invokers/local/limits/concurrency')
    expect(() => withLimits({ rpm: 60 })).toThrow('/invokers/local/limits/rpm is not known')
  })
})

describe('a base', () => {
  test('is merged below: maps key by key, lists and scalars whole', () => {
    const { value } = resolve({
      top: { base: 'mid', global: { model_args: { seed: 3, stop: ['c'] } } },
      mid: { base: 'low', global: { model_name: 'gpt-4.1', model_args: { seed: 2 } } },
      low: { global: { model_name: 'gpt-4o', model_args: { seed: 1, top_p: 1, stop: ['a', 'b'] } } },
    })
    expect(value).toEqual({ global: { model_name: 'gpt-4.1', model_args: { seed: 3, top_p: 1, stop: ['c'] } } })
  })

  test('is not changed by what is merged over it', () => {
    const base = { global: { model_args: { seed: 1 } } }
    resolve({ top: { base: 'low', global: { model_args: { seed: 2 } } }, low: base })
    expect(base).toEqual({ global: { model_args: { seed: 1 } } })
  })

  test('is looked for beside the config first, then from the top', () => {
    const described = (description: string) => ({ description })
    const beside = {
      'review/pro': { base: 'default' },
      'review/default': described('beside'),
      default: described('top'),
    }
    expect(resolve(beside).value).toEqual(described('beside'))
    expect(resolve({ 'review/pro': { base: 'default' }, default: described('top') }).value).toEqual(described('top'))
    expect(resolve({ 'review/default': { base: 'default' }, default: described('top') }).value).toEqual(
      described('top'),
    )
    expect(resolve({ 'a/b': { base: 'c/d' }, 'c/d': described('other') }).value).toEqual(described('other'))
  })

  test('that is not there is an error that names what is', () => {
    expect(() => resolve({ pro: { base: 'defualt' }, default: {} })).toThrow(
      'pro.yaml: /base: There is no config "defualt". Did you mean "default"? Known: pro, default.',
    )
    expect(() => resolve({ pro: { base: 3 } })).toThrow('pro.yaml: /base must be the name of a config.')
  })

  test('that leads back is an error that shows the cycle', () => {
    expect(() => resolve({ a: { base: 'b' }, b: { base: 'c' }, c: { base: 'b' } })).toThrow(
      'c.yaml: The chain of bases is a cycle: a → b → c → b.',
    )
    expect(() => resolve({ a: { base: 'a' } })).toThrow('a → a')
  })

  test('may have a base itself, up to a limit', () => {
    const chain = (length: number) =>
      Object.fromEntries(Array.from({ length }, (_, at) => [`c${at}`, at === length - 1 ? {} : { base: `c${at + 1}` }]))
    expect(() => resolve(chain(configDepthMax))).not.toThrow()
    expect(() => resolve(chain(configDepthMax + 1))).toThrow(`longer than ${configDepthMax}`)
  })
})

describe('a mistake', () => {
  test.each([
    [{ global: { model_name: 3 } }, '/global/model_name: Invalid input: expected string, received number.'],
    [{ agent_configs: [{ name: 'a' }, { model_name: 'b' }] }, '/agent_configs/1/name: '],
    [{ agent_configs: [{ name: 'a', max_exception_retry: -1 }] }, '/agent_configs/0/max_exception_retry: '],
    [{ agent_configs: [{ name: 'a', api_type: 'chat' }] }, '/agent_configs/0/api_type: '],
    [{ agent_configs: [{ name: 'a', temperature: Number.NaN }] }, '/agent_configs/0/temperature: '],
    [{ agent_configs: { name: 'a' } }, '/agent_configs: Invalid input: expected array, received object.'],
    [{ global: { name: 'a' } }, '/global/name: global holds for every agent and has no name.'],
    [
      { global: { context_manager: { type: 'drop', max_tokens: 1, keep: 2 } } },
      '/global/context_manager/keep is not known.',
    ],
    [{ invokers: { 'Local!': { base_url: 'http://x' } } }, '/invokers/Local!: '],
    [{ invokers: { local: { base_url: 'file:///etc/passwd' } } }, '/invokers/local/base_url: '],
    [
      { agents: [] },
      '/agents is not known. Known: base, tactic_type, description, global, agent_configs, invokers, sub_tactics, limits, store_content.',
    ],
    [{ globl: {} }, '/globl is not known. Did you mean "global"?'],
  ])('%j is told with its file and its place', (value, message) => {
    expect(() => resolve({ x: value })).toThrow(`x.yaml: ${message}`)
  })

  test('carries a code and the file as data', () => {
    expect(() => resolve({ x: { agents: 1 } })).toThrow(
      expect.objectContaining({ code: 'invalid-config', data: { file: 'x.yaml' } }),
    )
  })

  test('of a base is told with the file of the base', () => {
    const base = JSON.parse('{"global": {"model_args": {"__proto__": {"polluted": true}}}}')
    expect(() => resolve({ x: { base: 'low' }, low: base })).toThrow(
      'low.yaml: /global/model_args/__proto__ is not allowed: it would reach a prototype.',
    )
  })
})

describe('hostile values', () => {
  test.each(['__proto__', 'constructor', 'prototype'])('%s is refused at any depth', (key) => {
    const inner = JSON.parse(`{"${key}": {"polluted": 1}}`)
    for (const value of [inner, { global: inner }, { agent_configs: [{ name: 'a', x: [inner] }] }]) {
      expect(() => resolve({ x: value })).toThrow('it would reach a prototype')
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('nesting without end is refused', () => {
    const nest = (depth: number): object => (depth === 0 ? {} : { x: nest(depth - 1) })
    expect(() => resolve({ x: { global: { model_args: nest(configDepthMax - 3) } } })).not.toThrow()
    expect(() => resolve({ x: { global: { model_args: nest(1000) } } })).toThrow('nests deeper than 32')
  })

  test('merging a config over itself changes nothing, and the later of two wins everywhere', () => {
    const args = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 2 }))
    fc.assert(
      fc.property(args, args, (below, above) => {
        fc.pre(!/__proto__|constructor|prototype/.test(JSON.stringify([below, above])))
        const merge = (low: object, top: object) =>
          resolve({ top: { base: 'low', global: { model_args: top } }, low: { global: { model_args: low } } }).value
        expect(merge(below, below)).toEqual({ global: { model_args: below } })
        const merged = (merge(below, above)['global'] as { model_args: Record<string, unknown> }).model_args
        for (const [key, value] of Object.entries(above)) {
          if (typeof value !== 'object' || value === null || Array.isArray(value)) expect(merged[key]).toEqual(value)
        }
        expect(new Set(Object.keys(merged))).toEqual(new Set([...Object.keys(below), ...Object.keys(above)]))
      }),
    )
  })
})
