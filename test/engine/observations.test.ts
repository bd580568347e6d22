import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Observation } from '../../src/domain/observation.ts'
import { definePrompt } from '../../src/domain/prompt.ts'
import { Tactic } from '../../src/domain/tactic.ts'
import { tagParser } from '../../src/domain/tag-parser.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { callsTool, callsTools, fails } from '../../src/testing/answers.ts'
import { type Script, says } from '../../src/testing/scripted-model.ts'
import { house } from '../support/house.ts'

class Ask extends Tactic({ name: 'ask', agents: ['clerk'] }) {
  async call(task: string) {
    return (await this.agents.clerk.open('desk').receive(task).respond()).content
  }
}

class Chief extends Tactic({ name: 'chief', tactics: { ask: Ask } }) {
  async call(task: string) {
    return this.tactics.ask(task)
  }
}

const told = (observations: readonly Observation[], type: Observation['type']) =>
  observations.filter((observation) => observation.type === type)

/** Calls a tactic once, and gives everything that was observed. */
async function observe(model: Script, more: Partial<Parameters<typeof house>[0]> = {}) {
  const observations: Observation[] = []
  const spec = { tactics: [Ask, Chief] as const, model, observe: (told: Observation) => void observations.push(told) }
  const { engine } = house({ ...spec, ...more })
  const call = async (tactic: string, options = {}) =>
    engine.execute(await engine.prepare(engine.find(tactic), 'bees'), options)
  return { observations, call }
}

describe('whoever counts is told', () => {
  test('of a call from its start to its end, with each request in the name of the tactic that made it', async () => {
    const usage = { promptTokens: 30, cachedPromptTokens: 10, completionTokens: 20, reasoningTokens: 5 }
    const { observations, call } = await observe([says('Bees dance.', { usage })])
    await call('chief')
    expect(observations).toMatchObject([
      { type: 'call.started', tactic: 'chief' },
      {
        type: 'model.asked',
        tactic: 'ask',
        agent: 'clerk',
        model: 'test-model',
        outcome: 'ok',
        cost: { promptTokens: 30, completionTokens: 20, pricedCalls: 1, promptPicoUsd: 30_000_000 },
      },
      { type: 'sub-call.ended', tactic: 'ask', state: 'success' },
      { type: 'call.ended', tactic: 'chief', state: 'success', code: null },
    ])
  })

  test('of failures, and of why and because of whom something was asked again', async () => {
    const global = { max_llm_recall: 1, fallback_models: ['second'] }
    const model = [fails('failed'), fails('rate-limited'), 'Well.', '<ok>Yes.</ok>']
    const parser = tagParser({ tags: { required: ['ok'] } })
    const systemPrompts = { clerk: definePrompt({ template: 'Say <ok>.', parser }) }
    const { observations, call } = await observe(model, { global, systemPrompts })
    await call('ask')
    expect(told(observations, 'model.asked')).toMatchObject([
      { model: 'test-model', outcome: 'failed' },
      { model: 'test-model', outcome: 'rate-limited' },
      { model: 'second', outcome: 'ok' },
      { model: 'second', outcome: 'ok' },
    ])
    expect(told(observations, 'model.retried')).toMatchObject([
      { tactic: 'ask', agent: 'clerk', model: 'test-model', reason: 'recall' },
      { model: 'test-model', reason: 'fallback' },
      { model: 'second', reason: 'exception' },
    ])
  })

  test('of the error in which a call ends, and of whom it was refused', async () => {
    const { observations, call } = await observe(['fine'])
    await call('chief', { limits: { llmCalls: 0 } })
    await call('chief', { limits: { depth: 0 } })
    expect(told(observations, 'budget.refused')).toEqual([
      { type: 'budget.refused', tactic: 'ask', unit: 'llm_calls' },
      { type: 'budget.refused', tactic: 'ask', unit: 'depth' },
    ])
    expect(told(observations, 'call.ended')).toMatchObject([
      { tactic: 'chief', state: 'failure', code: 'budget-exceeded' },
      { tactic: 'chief', state: 'failure', code: 'budget-exceeded' },
    ])
    expect(told(observations, 'sub-call.ended')).toHaveLength(2)
    expect(told(observations, 'model.asked')).toEqual([])
  })

  test('of tools that were run, and not of those that there are not', async () => {
    const args = z.object({ word: z.string() })
    const tools = [
      defineTool({ name: 'lookup', description: 'Looks up.', args, run: ({ word }) => word }),
      defineTool({ name: 'breaks', description: 'Breaks.', args, run: () => Promise.reject(new Error('broken')) }),
    ]
    const calls = ['lookup', 'breaks', 'nothing'].map((name) => ({ id: name, name, args: { word: 'bee' } }))
    const model = [callsTools(calls), callsTool('lookup', { word: 'bee' }), 'done']
    const systemPrompts = { clerk: definePrompt({ template: 'You work.', tools }) }
    const { observations, call } = await observe(model, { systemPrompts })
    await call('ask')
    const ended = { type: 'tool.ended', tactic: 'ask', agent: 'clerk' }
    // What is called a second time with the same arguments is not run again.
    expect(told(observations, 'tool.ended')).toEqual([
      { ...ended, isOk: true },
      { ...ended, isOk: false },
    ])
  })
})
