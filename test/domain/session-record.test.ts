import { expect, test } from 'vitest'
import { z } from 'zod'
import { definePrompt } from '../../src/domain/prompt.ts'
import { toSessionRecord, toSummaryRecord } from '../../src/domain/session-record.ts'
import { defineTool } from '../../src/domain/tool.ts'
import { Tactic } from '../../src/index.ts'
import { callsTool, fails } from '../../src/testing/answers.ts'
import { says } from '../../src/testing/scripted-model.ts'
import { Ask } from '../support/ask.ts'
import { house } from '../support/house.ts'

class Show extends Tactic({ name: 'show', agents: ['looker'], tactics: { ask: Ask } }) {
  async call(task: string) {
    const image = { base64: 'AAAA', mediaType: 'image/png' }
    await this.agents.looker.open('look').receiveImage(image, task).respond()
    return await this.tactics.ask(task)
  }
}

async function record() {
  const look = defineTool({ name: 'look', description: 'x', args: z.object({}), run: () => 'a bee' })
  const { session } = house({
    tactics: [Show],
    systemPrompts: { looker: definePrompt({ template: 'Look.', tools: [look] }) },
    model: [fails('failed'), callsTool('look'), says('A bee.'), says('fine', { usage: null })],
  })
  return (await session('What is it?', { tags: { team: 'bees' } })).session
}

test('a session as JSON has the shape of the HTTP contract', async () => {
  const session = toSessionRecord(await record())
  expect(session).toMatchObject({
    id: '00000000-0000-7000-8000-000000000001',
    tactic: 'show',
    tactic_id: 'house::show',
    state: 'success',
    end_reason: null,
    started_at: '2026-01-01T00:00:00.000Z',
    ended_at: '2026-01-01T00:00:00.250Z',
    duration_ms: 250,
    task: 'What is it?',
    result: 'fine',
    error: null,
    tags: { team: 'bees' },
    agent_call_count: 1,
    sub_tactic_call_count: 1,
    llm_call_count: 4,
    cost: { prompt_tokens: 200, cost_usd: 0.00028, unpriced_calls: 1 },
    agent_calls: [
      {
        agent: 'looker',
        dialog: 'look',
        tool_calls: [{ id: 'call-look', step: 0, name: 'look', arguments: '{}', result: 'a bee', error: null }],
        retries: [{ kind: 'recall', step: 0, waited_ms: 250 }],
        delivery: { role: 'assistant', content: 'A bee.' },
      },
    ],
    sub_sessions: [{ tactic: 'ask', cost: { cost_usd: null, prompt_cost_usd: null, unpriced_calls: 1 } }],
  })
  const { messages } = session.agent_calls[0]?.llm_calls.at(-1)?.request ?? {}
  expect(messages?.slice(1)).toMatchObject([
    { role: 'user', content: [{ type: 'text' }, { type: 'image', bytes: 3, media_type: 'image/png' }] },
    { role: 'assistant', tool_calls: [{ id: 'call-look', name: 'look', arguments: '{}' }] },
    { role: 'tool', content: 'a bee', tool_call_id: 'call-look' },
  ])
})

test('its keys are snake_case, all the way down', async () => {
  const { task: _task, tags: _tags, metadata: _metadata, ...session } = toSessionRecord(await record())
  const keys: string[] = []
  JSON.stringify(session, (key, value: unknown) => {
    keys.push(key)
    // JSON Schemas of tools have keys of their own.
    return key === 'parameters' ? null : value
  })
  expect(keys.filter((key) => /[A-Z]/.test(key))).toEqual([])
})

test('a summary is compact', async () => {
  expect(toSummaryRecord(await record())).toEqual({
    id: '00000000-0000-7000-8000-000000000001',
    tactic: 'show',
    state: 'success',
    agent_calls: 1,
    sub_tactic_calls: 1,
    llm_calls: 4,
    total_cost: 0.00028,
    duration_ms: 250,
  })
})

test('the data of an error cannot take the place of its code', async () => {
  const session = await record()
  const data = { code: 'other', message: 'other', retryAfterMs: 5, known: ['a'] }
  const error = { code: 'unknown-prompt', message: 'There is none.', data } as const
  expect(toSessionRecord({ ...session, error }).error).toEqual({
    code: 'unknown-prompt',
    message: 'There is none.',
    known: ['a'],
  })
})
