import { fileURLToPath } from 'node:url'
import { loadRuntime } from 'lllm'
import { createClient } from 'lllm/client'
import { expect, onTestFinished, test } from 'vitest'
import { makeBriefing, makeRemote } from '../../examples/client/briefing.ts'
import * as client from '../../examples/client/client.ts'
import { startService } from '../e2e/support/service.ts'
import { deadUrl } from '../support/dead-url.ts'
import { says, startProvider } from '../support/scripted-provider.ts'
import { root } from './markdown.ts'

const folder = fileURLToPath(new URL('examples/authoring/', root))

/** A service of the authoring examples, whose model says the last word of what it is asked. */
async function openService() {
  const provider = await startProvider(({ lastText }) => says(lastText.split(/\s+/).at(-1) ?? ''))
  onTestFinished(() => provider.close())
  return startService({ provider, folder })
}

test('a call is answered as the service answers', async () => {
  const { url } = await openService()
  expect(await client.callOnce(url)).toEqual({
    result: 'are.',
    session_id: expect.any(String),
    cost_usd: expect.any(Number),
  })
  expect(await client.callWithOptions(url, new AbortController().signal)).toMatch(/^success: \d+ tokens$/)
  expect((await client.makeClient(url, 'key').info()).name).toBe('lllm')
})

test('errors are told apart', async () => {
  const { url } = await openService()
  expect(await client.handleErrors(url, 'one two')).toBe('two')
  expect(await client.handleErrors(url, 'x'.repeat(100_000))).toMatch('too expensive: 0 USD')
  expect(await client.handleErrors(url, 7 as never)).toMatch(/^invalid-task: .* \(request /)
  expect(await client.handleErrors(deadUrl, 'one')).toBe('network: it has not begun')
})

test('a call that is sent again is done once', async () => {
  const { url, runtime } = await openService()
  expect(await client.callUntilAnswered(url, 'one two')).toBe('two')
  expect((await runtime.store.list({}, 10)).data).toHaveLength(1)
  await expect(client.callUntilAnswered(url, 7 as never)).rejects.toMatchObject({ code: 'invalid-task' })
})

test('batches come as a whole and item by item', async () => {
  const { url } = await openService()
  expect(await client.callBatch(url, ['one', 'two'])).toMatchObject({ results: ['one', 'two'], counts: { success: 2 } })
  const lines: string[] = []
  expect(await client.streamBatch(url, ['one', 'two'], (line) => lines.push(line))).toMatchObject({ success: 2 })
  expect(lines.sort()).toEqual(['Task 0: one', 'Task 1: two'])
})

test('a stream is followed, and sessions and costs are looked back at', async () => {
  const { url } = await openService()
  const lines: string[] = []
  expect(await client.follow(url, ['one'], (line) => lines.push(line))).toBe('one\none')
  expect(lines).toContain('digest/summarize writer: one')
  expect(lines.some((line) => /^summarize: [\d.e-]+ USD$/.test(line))).toBe(true)
  await client.callWithOptions(url, new AbortController().signal)
  expect(await client.lookBack(url)).toMatchObject({ failures: 0, next_cursor: null, sessions: 2 })
})

test('runs are waited for, followed, and submitted together', async () => {
  const { url } = await openService()
  expect(await client.runInBackground(url, 'one two')).toBe('two')
  const { id } = (await createClient({ url }).runs.list()).data[0] ?? { id: '' }
  const lines: string[] = []
  expect(await client.followRun(url, id, (line) => lines.push(line))).toBeGreaterThan(2)
  expect(lines).toEqual([expect.stringMatching(/^writer: [\d.e-]+ USD$/), 'two'])
  const results: string[] = []
  expect(await client.runManyInBackground(url, ['one', 'two'], (line) => results.push(line))).toMatchObject({
    success: 2,
  })
  expect(results).toEqual(['Task 0: one', 'Task 1: two'])
})

test('a tactic calls one of another service', async () => {
  const { url } = await openService()
  const runtime = await loadRuntime({ folder, env: { LLLM_DATABASE: ':memory:' } })
  onTestFinished(() => runtime.close())
  const config = { global: { model_name: 'gpt-4o' }, agent_configs: [{ name: 'editor', system_prompt: 'You edit.' }] }
  const report = await runtime.build(makeBriefing(url), config).session('one two')
  expect(report).toMatchObject({ ok: true, session: { subSessions: [{ tactic: 'digest', result: 'two\ntwo' }] } })
  expect(makeRemote(url).spec.remote).toMatchObject({ url, tactic: 'digest', budgetPicoUsd: 200_000_000_000n })
})
