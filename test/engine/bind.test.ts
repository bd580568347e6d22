import { describe, expect, test } from 'vitest'
import { definePrompt } from '../../src/domain/prompt.ts'
import type { TacticClass } from '../../src/domain/tactic.ts'
import { Tactic } from '../../src/index.ts'
import type { ConfigValue } from '../../src/testing/test-package.ts'
import { Ask } from '../support/ask.ts'
import { type HouseSpec, house } from '../support/house.ts'

const global = { model_name: 'test-model' }
const agents = (...names: readonly string[]) => names.map((name) => ({ name, system_prompt: `You are the ${name}.` }))
const writerOnly = { global, agent_configs: agents('writer') }

class Research extends Tactic({ name: 'research', agents: ['finder'] }) {
  async call(task: string) {
    return (await this.agents.finder.open('talk').receive(task).respond()).content
  }
}
class Pipeline extends Tactic({ name: 'pipeline', agents: ['chief'], tactics: { research: Research } }) {
  async call(task: string) {
    return await this.tactics.research(task)
  }
}

function bootMistake(
  tactics: HouseSpec<TacticClass>['tactics'],
  configs: Readonly<Record<string, ConfigValue>>,
  more = {},
) {
  try {
    house({ tactics, configs, ...more })
  } catch (error) {
    return error
  }
  throw new Error('There was no mistake.')
}

describe('a mistake stops the boot with the file, the place and what is known', () => {
  test.each<[string, HouseSpec<TacticClass>['tactics'], Readonly<Record<string, ConfigValue>>, string]>([
    [
      'a tactic without a config',
      [Ask],
      { aks: writerOnly },
      'tactics/ask.ts: the tactic "ask" has no config: expected configs/ask.yaml. Did you mean "aks"?',
    ],
    [
      'an agent that is missing',
      [Ask],
      { ask: { global, agent_configs: [] } },
      'configs/ask.yaml: /agent_configs: the agent "writer" of the tactic "ask" is missing. There are none.',
    ],
    [
      'an agent that is misspelt',
      [Ask],
      { ask: { global, agent_configs: agents('writer', 'wirter') } },
      'configs/ask.yaml: /agent_configs: the tactic "ask" has no agent "wirter". Did you mean "writer"?',
    ],
    [
      'an agent without a model',
      [Ask],
      { ask: { agent_configs: agents('writer') } },
      'configs/ask.yaml: /agent_configs: the agent "writer" has no model_name',
    ],
    [
      'an agent without a prompt',
      [Ask],
      { ask: { global, agent_configs: [{ name: 'writer' }] } },
      'configs/ask.yaml: /agent_configs: the agent "writer" has neither system_prompt nor system_prompt_path.',
    ],
    [
      'an unknown prompt',
      [Ask],
      { ask: { global, agent_configs: [{ name: 'writer', system_prompt_path: 'tasks/wrtie' }] } },
      'configs/ask.yaml: /agent_configs: "writer": There is no prompt "tasks/wrtie". Did you mean "tasks/write"?',
    ],
    [
      'an unknown invoker',
      [Ask],
      { ask: { global: { ...global, invoker: 'locla' }, agent_configs: agents('writer') } },
      'configs/ask.yaml: /agent_configs: the agent "writer" has an unknown invoker "locla". There are none.',
    ],
    [
      'an unknown MCP server',
      [Ask],
      { ask: { global, agent_configs: [{ name: 'writer', system_prompt_path: 'web' }] } },
      'configs/ask.yaml: The prompt "web" uses the MCP server "wbe", which is not in the settings. There are none.',
    ],
    [
      'an unknown tactic_type',
      [Ask],
      { ask: writerOnly, other: { ...writerOnly, tactic_type: 'aks' } },
      'configs/other.yaml: /tactic_type: There is no tactic "aks". Did you mean "ask"?',
    ],
    [
      'an unknown sub-tactic',
      [Ask],
      { ask: { ...writerOnly, sub_tactics: { toString: 'pro' } } },
      'configs/ask.yaml: /sub_tactics: the tactic "ask" has no sub-tactic "toString". There are none.',
    ],
    [
      'an unknown config of a sub-tactic',
      [Pipeline],
      { pipeline: { global, agent_configs: agents('chief', 'finder'), sub_tactics: { research: 'por' } } },
      'configs/pipeline.yaml: /sub_tactics/research: there is no config "por".',
    ],
    [
      'an agent of a sub-tactic that has a config of its own',
      [Pipeline, Research],
      {
        pipeline: { global, agent_configs: agents('chief', 'findr') },
        research: { global, agent_configs: agents('finder') },
      },
      'configs/pipeline.yaml: /agent_configs: the tactic "pipeline" has no agent "findr".',
    ],
    [
      'two defaults',
      [Ask],
      { ask: writerOnly, 'ask/default': writerOnly },
      'configs/ask/default.yaml: the tactic "ask" has two configs named "default".',
    ],
    [
      'an unknown base',
      [Ask],
      { ask: { ...writerOnly, base: 'defualt' }, default: {} },
      'configs/ask.yaml: /base: There is no config "defualt". Did you mean "default"?',
    ],
  ])('%s', (_case, tactics, configs, message) => {
    const prompts = {
      'tasks/write': definePrompt({ template: 'x' }),
      web: definePrompt({ template: 'x', mcpServers: ['wbe'] }),
    }
    expect(bootMistake(tactics, configs, { prompts })).toMatchObject({
      code: expect.stringMatching(/^invalid-/),
      message: expect.stringContaining(message),
    })
  })

  test('a name that does not fit a URL', () => {
    class Spaced extends Tactic({ name: 'My Tactic' }) {
      call = async () => ''
    }
    expect(bootMistake([Spaced], {})).toMatchObject({
      code: 'invalid-tactic',
      message: expect.stringContaining('"My Tactic"'),
    })
  })

  test('two tactics of one name', () => {
    class Other extends Tactic({ name: 'ask', agents: ['writer'] }) {
      call = async () => ''
    }
    expect(bootMistake([Ask, Other], { ask: writerOnly })).toMatchObject({
      code: 'invalid-tactic',
      message: 'tactics/ask.ts: the name "ask" is taken by the tactic of tactics/ask.ts.',
    })
  })
})

describe('the configs of a tactic', () => {
  const namesOf = (configs: Readonly<Record<string, ConfigValue>>) => [
    ...house({ tactics: [Ask], configs })
      .engine.find('ask')
      .configs.keys(),
  ]

  test('are found by name, in its folder, and by tactic_type; the default comes first', () => {
    expect(namesOf({ ask: writerOnly })).toEqual(['default'])
    expect(namesOf({ 'ask/pro': writerOnly, 'ask/default': writerOnly })).toEqual(['default', 'pro'])
    expect(namesOf({ elsewhere: { ...writerOnly, tactic_type: 'ask' }, ask: writerOnly })).toEqual([
      'default',
      'elsewhere',
    ])
  })

  test('are not needed by a tactic without agents', () => {
    class Pure extends Tactic({ name: 'pure' }) {
      call = async () => 'done'
    }
    expect([
      ...house({ tactics: [Pure], configs: {} })
        .engine.find('pure')
        .configs.keys(),
    ]).toEqual(['default'])
  })

  test('are chosen by their short names', async () => {
    const pro = { global: { model_name: 'better-model' }, agent_configs: agents('writer') }
    const { call, model } = house({ tactics: [Ask], configs: { 'ask/default': writerOnly, 'ask/pro': pro } })
    await call('go')
    await call('go', { config: 'pro' })
    expect(model.requests.map((request) => request.model)).toEqual(['test-model', 'better-model'])
  })

  test('with the same merged value have the same hash', () => {
    const { configs } = house({
      tactics: [Ask],
      configs: {
        'ask/default': writerOnly,
        'ask/same': { agent_configs: agents('writer'), global },
        'ask/other': { ...writerOnly, description: 'x' },
      },
    }).engine.find('ask')
    expect(configs.get('same')?.hash).toBe(configs.get('default')?.hash)
    expect(configs.get('other')?.hash).not.toBe(configs.get('default')?.hash)
  })
})

describe('a sub-tactic is called with', () => {
  const own = { global: { model_name: 'own-model' }, agent_configs: agents('finder') }
  const pro = { global: { model_name: 'pro-model' }, agent_configs: agents('finder') }

  async function modelOf(
    tactics: HouseSpec<TacticClass>['tactics'],
    pipeline: ConfigValue,
    more: Readonly<Record<string, ConfigValue>> = {},
  ) {
    const { engine, model } = house({ tactics, configs: { pipeline: { global, ...pipeline }, ...more } })
    await engine.execute(await engine.prepare(engine.find('pipeline'), 'go'))
    return model.requests.map((request) => request.model)
  }

  test('the config that its parent names', async () => {
    const configs = { research: own, 'research/pro': pro }
    for (const research of ['pro', 'research/pro']) {
      expect(
        await modelOf([Pipeline, Research], { agent_configs: agents('chief'), sub_tactics: { research } }, configs),
      ).toEqual(['pro-model'])
    }
  })

  test('its own default', async () => {
    expect(await modelOf([Pipeline, Research], { agent_configs: agents('chief') }, { research: own })).toEqual([
      'own-model',
    ])
  })

  test("its parent's, when that configures the sub-tactic's agents on purpose", async () => {
    expect(
      await modelOf([Pipeline, Research], { agent_configs: agents('chief', 'finder') }, { research: own }),
    ).toEqual(['test-model'])
  })

  test("its parent's, when it has none of its own", async () => {
    expect(await modelOf([Pipeline], { agent_configs: agents('chief', 'finder') })).toEqual(['test-model'])
  })

  test("its parent's by name", async () => {
    const config = { agent_configs: agents('chief', 'finder'), sub_tactics: { research: 'pipeline' } }
    expect(await modelOf([Pipeline, Research], config, { research: own })).toEqual(['test-model'])
  })
})

test('a tactic can be linked with a config that is in no file', () => {
  const { binder } = house({ tactics: [Pipeline] })
  const value = { global, agent_configs: agents('chief', 'finder') }
  const bound = binder.bindWith(Pipeline, { name: 'inline', file: 'inline', value })
  expect(bound).toMatchObject({ name: 'pipeline', id: 'house::pipeline' })
  expect([...bound.configs.keys()]).toEqual(['default'])
})
